"""Which links a Markdown note has.

Situations: microsoft/vscode-markdown-languageservice (documentLinks.test.ts, diagnostic.test.ts), zk-org/zk (document_test.go),
artempyanykh/marksman (ParserTests.fs).
"""

from tests.peers.asking import links
from tests.server.features.conftest import MakeVault

# fmt: off
CASES = [
    ("", []),
    ("plain words", []),
    ("see [site](https://example.org/x) now", ["[site](https://example.org/x)"]),
    ("see [a](./near) or [b](pic.png)", ["[a](./near)", "[b](pic.png)"]),
    ('see [a](https://example.org "title")', ['[a](https://example.org "title")']),
    ("see [a\\]](./near)", ["[a\\]](./near)"]),
    ("see [a](https://example.org/x(y)z) on", ["[a](https://example.org/x(y)z)"]),
    ("[one [two] three](near)", ["[one [two] three](near)"]),
    ("[one [two] three](<near>)", ["[one [two] three](<near>)"]),
    ("([one](one)[two](two))", ["[one](one)", "[two](two)"]),
    ("[![alt](pic.jpg)](https://example.org)", ["[![alt](pic.jpg)](https://example.org)", "![alt](pic.jpg)"]),
    ("[][]", []),
    ("[^note]: https://example.org", ["https://example.org"]),
    ("[a]: <b c>\n[b]: <cd>", ["[a]: <b c>", "[b]: <cd>"]),
    ("[my label]: https://example.org", ["[my label]: https://example.org"]),
    ("[label]\n\n[label]: https://example.org", ["[label]", "[label]: https://example.org"]),
    ("[open\n\n[label]: https://example.org", ["[label]: https://example.org"]),
    ("> [!note]\n> [!tip] text", []),
    (
        "[a][my label] [my label][] [my label]\n\n[My  Label]: x.md",
        ["[a][my label]", "[my label][]", "[my label]", "[My  Label]: x.md"],
    ),
    ("\\[no][good]\n\\[good]\n\n[good]: x.md", ["[good]", "[good]: x.md"]),
    ("\\[text](http:x)\n\n\\[def]: http:x", []),
    ("\\[text](<http://example.org>)", ["<http://example.org>"]),
    ("```\n[b](x.md)\n[[y]]\n```", []),
    ("~~~\n[b](x.md)\n~~~", []),
    ("    [b](x.md)", []),
    ("`[b](x.md)` ``[[y]]``", []),
    ("[li`nk](x.md`)", []),
    ("`` \n[b](x.md)\n``", []),
    ("`` \n\n[b](x.md)\n\n``", ["[b](x.md)"]),
    ("[b](one.md) `[b](two.md)\n[b](three.md) ` [b](four.md)", ["[b](one.md)", "[b](four.md)"]),
    ("before <http://example.org> after", ["<http://example.org>"]),
    ("<!-- [text](x.md) [[y]] -->\n\n<!--\n[text]: x.md\n-->\nin <!-- [t](x.md) --> line", []),
    ("- [x]\n- [X]\n* [ ]\n\n[x]: https://example.org", ["[x]: https://example.org"]),
    ("- [x] [x]\n- [] [x]\n\n[x]: https://example.org", ["[x]", "[x]", "[x]: https://example.org"]),
    ('[a](<path> "title") [b]( <path> ) ![c](<path>)', ['[a](<path> "title")', "[b]( <path> )", "![c](<path>)"]),
    ("[a](<path )\n[b](<> path>)\n[c](> path)", []),
    ("[a](<pa th>) [b](<pa th#fr ag>)", ["[a](<pa th>)", "[b](<pa th#fr ag>)"]),
    ("[a](x.md 'one') [b](x.md (two))", ["[a](x.md 'one')", "[b](x.md (two))"]),
    ("[](<>) [link](<>)", []),
    ("- [@a/b]: c\n- [@a/b]:", ["[@a/b]: c", "[@a/b]"]),  # CommonMark: a definition may stand in a list
    ("[`code`][label]\n\n[label]: https://example.org", ["[`code`][label]", "[label]: https://example.org"]),
    ("[![alt](img)][def]\n\n[def]: x.md", ["[![alt](img)][def]", "![alt](img)", "[def]: x.md"]),
    ("[![alt][def]](img)\n\n[def]: x.png", ["[![alt][def]](img)", "![alt][def]", "[def]: x.png"]),
    ("[[test]]\n\n[test]: x.md", ["[[test]]", "[test]: x.md"]),
    ("[a][\\[b\\]] [\\[b\\]]\n\n[\\[b\\]]: x.md", ["[a][\\[b\\]]", "[\\[b\\]]", "[\\[b\\]]: x.md"]),
    ('<img src="cat.png">', ['<img src="cat.png">']),
    ("<img src='cat.png' />", ["<img src='cat.png' />"]),
    ('text <img alt="a" src="cat.png"> more', ['<img alt="a" src="cat.png">']),
    ('see <a href="x.md">that</a>', ['<a href="x.md">that</a>']),
    ('<p align="center">\n<img src="cat.png">\n</p>', ['<img src="cat.png">']),
    ('`<img src="cat.png">`\n\n~~~\n<img src="cat.png">\n~~~', []),
    ("[te\nxt](x.md) and\n[\ntext\n](\ny.md\n)", ["[te\nxt](x.md)", "[\ntext\n](\ny.md\n)"]),
    ("Options\n[two words]:\n-R: lists", []),
    ("an escaped \\` and a [[wiki]]", ["[[wiki]]"]),
    ("\\` is no code, `this [[is]]` [[wiki]]", ["[[wiki]]"]),
    ("ends in \\`\n[[one]]\n[[two]]", ["[[one]]", "[[two]]"]),
    ("a[^1] b\n\n[^1]: See [[one]] and [two](two.md).", ["[[one]]", "[two](two.md)"]),
    (
        "[**bold**](a.md) [*it*](b.md) [`c`](c.md) [d](p/with(par).md)",
        ["[**bold**](a.md)", "[*it*](b.md)", "[`c`](c.md)", "[d](p/with(par).md)"],
    ),
]
# fmt: on


async def test_the_links_of_a_note(make_vault: MakeVault) -> None:
    vault = await make_vault({"here.md": ""})
    for text, wanted in CASES:
        assert await links(vault, "here.md", "<|>" + text) == wanted, text
