# The texts every tokenizer here is held against: hand-picked traps, then a seeded mixture of them.
import random

picked = [
    '', ' ', '  ', '   ', '\n', '\n\n', '\t', '\r\n', ' \n', '\n ', '\t\n\t', 'a', ' a', 'a ', ' a ', '  a', 'a  b', 'a   b    c',
    'Hello, world!', 'Hello world', ' Hello', "I'm you're we've he'll she'd it's don't", "I'M YOU'RE WE'VE HE'LL SHE'D IT'S DON'T",
    "'s 't 're 've 'm 'll 'd", "x's'y", "''''", "l’été d’hiver", "'\u017fister", '1', '12', '123', '1234', '12345', '1234567890', '3.14159', '1,234,567.89', '2024-11-24T15:15:00Z',
    'v1.2.3-rc.4', '0x1F 0b101 1e-9', '١٢٣٤٥', '१२३४', '½ ¾ ⅓', 'Ⅷ ⅻ', '①②③', '𝟘𝟙𝟚', '二〇二六年',
    'The quick brown fox jumps over the lazy dog.', 'naïve café résumé Zürich Ångström', 'e\u0301 a\u0300 o\u0308 n\u0303', 'z\u0351\u0320a\u0336l\u0327g\u0340o',
    'ﬁ ﬂ ﬀ', 'ǅ ǈ ǋ', 'İstanbul ıI', 'ß ẞ STRASSE', 'Σίσυφος ΣΊΣΥΦΟΣ', 'Привет, мир!', 'Съешь ещё этих мягких французских булок',
    'שלום עולם', 'مرحبا بالعالم', 'السلام عليكم ١٢٣', 'नमस्ते दुनिया', 'হ্যালো', 'ภาษาไทยไม่มีช่องว่าง', 'សួស្តី', 'Xin chào thế giới', 'Γειά σου Κόσμε',
    '你好，世界！', '我喜欢吃苹果。', '日本語のテキストです。', 'カタカナとひらがな', '안녕하세요 세계', '한국어 조선말', '㍿㌔㍍', '中文English混合123文字',
    '😀', '😀😃😄', '👍🏽', '👨‍👩‍👧‍👦', '🏳️‍🌈', '🇩🇪🇫🇷', '❤️ ❤', 'Hi 😀 there', '🫠🪿', '☃☄★', '→←↑↓', '∀x∈ℝ: x²≥0', '∑∏∫√∞≠≤≥', '€ £ ¥ ₹ ₿',
    '“quoted” ‘single’ — dash – en … ellipsis', '«guillemets»', '¿Qué? ¡Sí!', '\u00a0nbsp\u00a0', 'a\u00a0b', 'a\u2003b\u2009c', 'a\u3000b', '\u200bzero\u200cwidth\u200d',
    '\ufeffBOM', 'a\ufeffb', '\u0085next', 'a\u0085b', 'line\u2028sep\u2029par', '\u180e', '\x00', 'a\x00b', '\x01\x02\x7f', '\x1b[31mred\x1b[0m', '\x0b\x0c', 'a\x0b\x0cb',
    '\ue000\uf8ff', '\ufffd', '\ufffe', '\U0010ffff', '𐍈𐌰', '𓀀𓁐', '𝒜𝓁𝑔', '𠮷野家', 'ｆｕｌｌｗｉｄｔｈ', 'ＦＵＬＬ', '½cup', 'm²', 'H₂O', 'x̂ŷ',
    'def f(x):\n    return x + 1\n', 'for (let i = 0; i < n; i++) {\n\tsum += a[i];\n}\n', '#include <stdio.h>\nint main(void){return 0;}\n', '<div class="a">&nbsp;</div>',
    '{"key": [1, 2.5, null, true], "s": "a\\nb"}', 'SELECT * FROM t WHERE a >= 10 AND b <> \'x\';', '$x = @{ a => 1 };', 'let s = `${a}-${b}`;', 'a->b::c.d()', '/* c */ // d # e',
    'if a == b && c != d || !e { }', 'x = y ** 2 // 3 % 4 ^ 5 | 6 & 7 ~ 8 << 9 >> 1', '---\n***\n___', '```python\nprint("hi")\n```', '| a | b |\n|---|---|\n| 1 | 2 |',
    'https://example.org/a/b?c=d&e=%20f#g', 'user.name+tag@example.com', 'C:\\Windows\\System32', '/usr/local/bin', '~/.bashrc', '192.168.0.1:8080', '::1', 'camelCaseWord PascalCaseWord snake_case_word SCREAMING_CASE kebab-case-word',
    'XMLHttpRequest iPhone eBay McDonald', 'aBcDeF', 'ABCdefGHI', 'HTTPServer2Go', 'ÀÉÎõü ÀB cD', '    indented', '\tindented', '        eight', 'trailing   ', 'trailing\t', 'trailing\n', 'a\n\n\nb', 'a \n \n b', 'a\r\n\r\nb', '\n\n\n\n\n', ' ' * 7, ' ' * 16, ' ' * 33, '\t' * 5, ' \t \t ', 'a' * 50, 'ab' * 30, '=' * 40, '-' * 7, '!' * 9, '....', '?!?!', '()[]{}<>', '"\'`', '%&*@#$^', '~|\\', '+-*/=',
    '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n', '<|endoftext|>', 'a<|endoftext|>b', '<|im_start|><|im_end|>', '<|im_start', 'im_start|>', '<s>', '</s>', '<s> [INST] Hi [/INST]', '<unk>', '<repo_name>x<file_sep>y',
    '<|begin_of_text|>', '<0x0A>', '<0xFF>', '▁', '▁▁', 'a▁b', ' ▁ ', 'Ġ', 'Ċ', 'aĠb', '[PAD]', '<pad>', '<jupyter_start>', '<|IM_START|>', '< |im_end| >',
    'supercalifragilisticexpialidocious', 'Donaudampfschifffahrtsgesellschaft', 'antidisestablishmentarianism', 'pneumonoultramicroscopicsilicovolcanoconiosis', 'qwrtpsdfghjklzxcvbnm', 'aaaabbbbccccdddd', 'lorem ipsum dolor sit amet, consectetur adipiscing elit', 'To be, or not to be, that is the question:',
    'line 17: REGISTER_CONTENT is <32461>', 'What is the <REGISTER_CONTENT> in line torpid-kid?', 'In 1847, 3 men & 12 women left.', 'Q: 2+2=?\nA: 4', 'Dr. Smith, Ph.D., M.D.', 'U.S.A. e.g. i.e. etc.', "rock'n'roll o'clock y'all", 'co-op re-enter', 'AT&T R&D', '50% off! $9.99', '#hashtag @mention', ':-) ;-) :D', 'http://', 'www.', '.com',
]

random.seed(20261124)
mixed = []
for _ in range(340 - len(picked)):
    parts = random.choices(picked, k=random.randint(2, 5))
    cut = [part[: random.randint(1, 24)] for part in parts if part]
    mixed.append(random.choice(['', ' ', '\n', '  ', '\t']).join(cut))

strings = picked + mixed
assert len(strings) >= 300, len(strings)
