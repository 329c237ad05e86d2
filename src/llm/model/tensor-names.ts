// What GGUF files and the Hugging Face hub call the tensors of a model of the Llama family.

/** The tensors of one layer, by our names. */
export type LayerTensor =
  | 'attentionNorm'
  | 'q'
  | 'k'
  | 'v'
  | 'output'
  | 'qBias'
  | 'kBias'
  | 'vBias'
  | 'outputBias'
  | 'qNorm'
  | 'kNorm'
  | 'ffnNorm'
  | 'gate'
  | 'up'
  | 'down';

/** Those of the whole model. */
export type ModelTensor = 'tokenEmbedding' | 'outputNorm' | 'output';

export interface TensorNaming {
  /** Stands before the number of a layer. */
  layers: string;
  layer: Readonly<Record<LayerTensor, string>>;
  model: Readonly<Record<ModelTensor, string>>;
  /** Tensors that may be there and hold nothing that the configuration does not say. */
  unused: RegExp;
}

export const GGUF_NAMES: TensorNaming = {
  layers: 'blk.',
  layer: {
    attentionNorm: 'attn_norm.weight',
    q: 'attn_q.weight',
    k: 'attn_k.weight',
    v: 'attn_v.weight',
    output: 'attn_output.weight',
    qBias: 'attn_q.bias',
    kBias: 'attn_k.bias',
    vBias: 'attn_v.bias',
    outputBias: 'attn_output.bias',
    qNorm: 'attn_q_norm.weight',
    kNorm: 'attn_k_norm.weight',
    ffnNorm: 'ffn_norm.weight',
    gate: 'ffn_gate.weight',
    up: 'ffn_up.weight',
    down: 'ffn_down.weight',
  },
  model: {
    tokenEmbedding: 'token_embd.weight',
    outputNorm: 'output_norm.weight',
    output: 'output.weight',
  },
  // The divisors of angles are in the configuration; old files have the angles of every layer as well.
  unused: /^rope_freqs\.weight$|\.attn_rot_embd$|\.rope_freqs$/,
};

export const HUB_NAMES: TensorNaming = {
  layers: 'model.layers.',
  layer: {
    attentionNorm: 'input_layernorm.weight',
    q: 'self_attn.q_proj.weight',
    k: 'self_attn.k_proj.weight',
    v: 'self_attn.v_proj.weight',
    output: 'self_attn.o_proj.weight',
    qBias: 'self_attn.q_proj.bias',
    kBias: 'self_attn.k_proj.bias',
    vBias: 'self_attn.v_proj.bias',
    outputBias: 'self_attn.o_proj.bias',
    qNorm: 'self_attn.q_norm.weight',
    kNorm: 'self_attn.k_norm.weight',
    ffnNorm: 'post_attention_layernorm.weight',
    gate: 'mlp.gate_proj.weight',
    up: 'mlp.up_proj.weight',
    down: 'mlp.down_proj.weight',
  },
  model: {
    tokenEmbedding: 'model.embed_tokens.weight',
    outputNorm: 'model.norm.weight',
    output: 'lm_head.weight',
  },
  unused: /\.rotary_emb\.inv_freq$/,
};
