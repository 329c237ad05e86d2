// How byte-level vocabularies cut a text into words before any merge. GGUF files name the cut (tokenizer.ggml.pre);
// each is a list of patterns applied one after another, every match and every gap between matches being a word.
// The patterns are those of the models' own tokenizer.json files, written so that letters fold in ASCII only.

import { UnsupportedError } from '../../core/errors.ts';

/** The cut of GPT-2: contractions, then words, numbers and signs, each with the space before it. */
export const gpt2Words: string = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

const contractions = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
const lineEnds = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
/** Words with one leading sign, numbers of up to so many digits, signs with their line ends (cl100k and its kin). */
const cl100k = (digits: string): string =>
  String.raw`(?:${contractions})|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|${lineEnds}`;

const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
/** Words cut where lower case turns to upper (o200k, Tekken). */
const casedWords = (suffix: string, digits: string): string =>
  String.raw`[^\r\n\p{L}\p{N}]?${upper}*${lower}+${suffix}|[^\r\n\p{L}\p{N}]?${upper}+${lower}*${suffix}|` +
  String.raw`\p{N}${digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${lineEnds}`;

interface Cut {
  patterns: string[];
  /** A word that is a token as it stands is taken whole, without its merges. */
  ignoreMerges?: boolean;
  /** Texts begin with bos unless the file says otherwise. */
  addBos?: boolean;
}

const gpt2: Cut = { patterns: [gpt2Words] };
const smollm: Cut = { patterns: [String.raw`\p{N}`, gpt2Words] };
const llama3: Cut = { patterns: [cl100k('{1,3}')], ignoreMerges: true, addBos: true };
const qwen2: Cut = { patterns: [cl100k('')] };
const gpt4o: Cut = { patterns: [casedWords(`(?:${contractions})?`, '{1,3}')] };

const cuts: Record<string, Cut> = {
  default: {
    patterns: [String.raw`[\p{P}\$\+<=>\^~\|]+`, gpt2Words, String.raw`\p{N}+`, '[0-9][0-9][0-9]'],
  },
  'gpt-2': gpt2,
  'phi-2': gpt2,
  mpt: gpt2,
  olmo: gpt2,
  jais: gpt2,
  exaone4: gpt2,
  smollm,
  starcoder: smollm,
  refact: smollm,
  'command-r': smollm,
  codeshell: smollm,
  exaone: smollm,
  'llama-bpe': llama3,
  'llama-v3': llama3,
  llama3,
  falcon3: llama3,
  dbrx: { patterns: llama3.patterns },
  'smaug-bpe': { patterns: llama3.patterns },
  glm4: { patterns: llama3.patterns },
  'chatglm-bpe': { patterns: llama3.patterns },
  qwen2,
  'deepseek-r1-qwen': qwen2,
  megrez: qwen2,
  stablelm2: qwen2,
  tekken: { patterns: [casedWords('', '')], ignoreMerges: true, addBos: true },
  'gpt-4o': gpt4o,
  llama4: gpt4o,
  'deepseek-v3': {
    patterns: [
      String.raw`\p{N}{1,3}`,
      '[一-龥぀-ゟ゠-ヿ]+',
      String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_${'`'}{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|${lineEnds}`,
    ],
  },
};

/** @param name - value of tokenizer.ggml.pre @throws {UnsupportedError} it is not known */
export function cutNamed(name: string): Cut {
  if (!Object.hasOwn(cuts, name)) {
    throw new UnsupportedError(
      `tokenizer.ggml.pre is "${name}"; expected one of ${Object.keys(cuts).join(', ')}. ` +
        "Pass the model's tokenizer.json instead.",
    );
  }
  return cuts[name];
}

/** The pre_tokenizer of tokenizer.json that makes these cuts and then spells words in the byte alphabet. */
export function byteLevelPreTokenizer(patterns: readonly string[]): object {
  return {
    type: 'Sequence',
    pretokenizers: [
      ...patterns.map((Regex) => ({
        type: 'Split',
        pattern: { Regex },
        behavior: 'Isolated',
        invert: false,
      })),
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    ],
  };
}
