import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GGUF_NAMES, HUB_NAMES, type LayerTensor, type ModelTensor } from './tensor-names.ts';

// What the gguf package calls the hub's tensors: pip install gguf==0.19.0, then
// python -c "import gguf,sys;[print(n,gguf.TensorNameMap(gguf.MODEL_ARCH.QWEN3,8).get_name(n)) for n in sys.argv[1:]]" <name> …
const PAIRS: Readonly<Record<string, readonly [hub: string, gguf: string]>> = {
  tokenEmbedding: ['model.embed_tokens', 'token_embd'],
  outputNorm: ['model.norm', 'output_norm'],
  'output of the model': ['lm_head', 'output'],
  attentionNorm: ['model.layers.7.input_layernorm', 'blk.7.attn_norm'],
  q: ['model.layers.7.self_attn.q_proj', 'blk.7.attn_q'],
  k: ['model.layers.7.self_attn.k_proj', 'blk.7.attn_k'],
  v: ['model.layers.7.self_attn.v_proj', 'blk.7.attn_v'],
  output: ['model.layers.7.self_attn.o_proj', 'blk.7.attn_output'],
  qNorm: ['model.layers.7.self_attn.q_norm', 'blk.7.attn_q_norm'],
  kNorm: ['model.layers.7.self_attn.k_norm', 'blk.7.attn_k_norm'],
  ffnNorm: ['model.layers.7.post_attention_layernorm', 'blk.7.ffn_norm'],
  gate: ['model.layers.7.mlp.gate_proj', 'blk.7.ffn_gate'],
  up: ['model.layers.7.mlp.up_proj', 'blk.7.ffn_up'],
  down: ['model.layers.7.mlp.down_proj', 'blk.7.ffn_down'],
};

describe('names of tensors', () => {
  it('are those of the gguf package and of the hub', () => {
    for (const [slot, pair] of Object.entries(PAIRS)) {
      for (const [i, naming] of [HUB_NAMES, GGUF_NAMES].entries()) {
        const ofLayer = pair[i].startsWith(naming.layers);
        const own = ofLayer
          ? `${naming.layers}7.${naming.layer[slot as LayerTensor]}`
          : naming.model[slot.split(' ')[0] as ModelTensor];
        assert.equal(own, `${pair[i]}.weight`, slot);
      }
    }
  });

  it('end biases like their weights', () => {
    for (const { layer } of [HUB_NAMES, GGUF_NAMES]) {
      for (const slot of ['q', 'k', 'v', 'output'] as const) {
        assert.equal(layer[`${slot}Bias`], layer[slot].replace(/weight$/, 'bias'));
      }
    }
  });
});
