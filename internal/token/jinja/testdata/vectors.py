"""Makes vectors.json: what Jinja itself renders, set up as transformers sets it up.

    pip install jinja2==3.1.6
    python vectors.py
"""

import json
import pathlib

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        next(parser.stream)
        return parser.parse_statements(["name:endgeneration"], drop_needle=True)


def refuse(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


ENV = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
ENV.filters["tojson"] = tojson
ENV.globals["raise_exception"] = refuse

MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": 'Hello "you" <b>&é\n'},
    {"role": "assistant", "content": "  It's fine.\n\nReally. "},
    {"role": "user", "content": "Why?"},
]

# One thing to a line where that is possible, so that a failure says what is wrong.
EXPRESSIONS = r"""
1+2*3 - 4
7//2, -7//2, 7%3, -7%3, 7%-3, 7.5//2, -7.5%2
2**5, 2**3**2, 2**-1, -2**2
1/2, 4/2, 1e3, 1.5e-7, 1e16, 1e15, 0.1+0.2, 100000000000000000000.0
0x1f, 0b11, 0o17, 1_000
'a'*3, 3*'ab', [1]*2, 'a' 'b' "c"
'x' ~ 1 ~ none ~ true ~ 1.0 ~ nope
[1,2]+[3], (1,2)+(3,), (1,), ()
{'a':1,'b':[1,'x'], 3: none}
1 if nope else 2
1 if nope
(('q' if true else 'r') + 's')
3 in [1,2,3], 'b' not in 'abc', 'a' in {'a':1}, 'x' in nope
1 < 2 < 3, 3 > 2 > 2, 1 == 1.0, 1 == true, '1' == 1, [1] == [1], (1,) == [1], {'a':1} == {'a':1.0}
not 1 == 2, not nope, not [] and not {} and not ''
1 and 0, 1 and 'x', 0 or 'y', nope or 'z', none or false
"it's", 'say "x"', 'both \' and "', 'tab\tnl\n\\ \x41 \u00e9 \101 \q'
['a\'b', "c", none, 1.5, true, 'é', '\x00', '\u200b']
messages[0].role, messages[-1]['content'], messages[0].nope, messages[9] is defined
messages[1:3]|length, messages[::-1][0].content, 'héllo'[1:3], 'héllo'[::-1], [1,2,3,4][::2], [1,2,3][-2:], [1,2,3][5:], 'abc'[0], 'abc'[-1], [1,2,3][:-1], [3,2,1][2:0:-1]
messages.0.role
' a '|trim, 'xax'|trim('x'), '\u00a0 a\u3000'|trim
'abc'|upper, 'ABC'|lower, 'hello wORLD-wide (see) o\'neil'|title, 'hello WORLD'|capitalize, 'straße ß'|upper, 'ΑΣ'|lower
'hello wORLD o\'neil 2nd'.title(), 'hELLO'.capitalize(), 'ß'.upper(), 'ẞ'.casefold()
'abc'|length, [1]|count, nope|length, {'a':1}|length
'abc'|first, [1,2]|last, []|first, 'abc'|list, {'a':1}|list
nope|default('d'), ''|default('d'), ''|default('d', true), none|d('x')
[1,'a',none]|join, [1,2]|join(', '), messages|join('|', attribute='role'), 'abc'|join('-')
messages|map(attribute='role')|list, messages|map(attribute='x', default='n')|list, ['a','b']|map('upper')|join, [' a ']|map('trim')|list, ['abc']|map('replace', 'b', 'x')|list
messages|selectattr('role','equalto','user')|map(attribute='content')|list
messages|selectattr('role','in',['user','system'])|list|length, messages|rejectattr('role','==','user')|list|length, messages|selectattr('content')|list|length
[1,2,3,4]|select('odd')|list, [1,2,3,4]|reject('gt', 2)|list, [0,1,none]|select|list
[3,1,2]|sort, ['b','A','c']|sort, ['b','A']|sort(case_sensitive=true), [1,3,2]|sort(reverse=true), messages|sort(attribute='role')|map(attribute='role')|list
['a','A','b']|unique|list, [1,2,1]|unique|list
'abc'|reverse, [1,2]|reverse|list
[1,2,3]|sum, [1.5,2]|sum, [1,2]|max, [2,1]|min, ['b','A']|min
-3|abs, -1.5|abs, 3.7|int, '5'|int + 1, 'x'|int, 'x'|int(7), '3.9'|int, '1.5'|float, 3|float, 'x'|float
2.5|round, 3.14159|round(2), 2.1|round(0, 'ceil'), 2.9|round(method='floor')
{'b':2,'a':1}|dictsort, {'b':1,'a':2}|dictsort(by='value'), {'x':1}|items|list
'a\nb\n\nc'|indent, 'a\nb'|indent(2, true), 'a\n\nb'|indent(2, blank=true), 'a\nb'|indent('> ')
'<a href="x">\'&'|e
'one two, three'|wordcount
'aab'|replace('a','b'), 'aab'|replace('a','b',1), 'abc'.replace('','-'), 'aaa'.replace('a','b',2)
messages|tojson
messages[1]|tojson(indent=2)
{'b':1,'a':[1,2.0,none,true,'é\u2028\x01']}|tojson(sort_keys=true), {'é':1}|tojson(ensure_ascii=true), '🦙'|tojson(ensure_ascii=true), {1:2, none:3, true:4}|tojson, [1,{'a':2}]|tojson(separators=(',',':')), []|tojson(indent=2)
[1,2,3,4,5]|batch(2)|list, [1,2,3]|batch(2,'x')|list
'%s-%d-%5.2f-%x|%-4s|%04d%%'|format('a', 3, 1.5, 255, 'b', 7)
'%s-%d' % ('a', 3), '%s' % 'x', '%r' % 'x'
'{}-{}'.format(1,2), '{1}{0}{1}'.format('a','b'), '{x}{{}}'.format(x=3)
' a b  c '.split(), 'a,b,c'.split(','), 'a,b,c'.split(',', 1), 'a,b,c'.rsplit(',', 1), 'a b c'.split(none, 1), ' a b c '.rsplit(none, 1), ''.split(), ''.split(','), 'a\u00a0b'.split()
'xxabcxx'.strip('x'), ' a'.lstrip(), 'a '.rstrip(), 'abcba'.strip('ab'), '\n\nx\n'.strip('\n')
'Hello'.startswith('He'), 'Hello'.endswith(('x','lo')), 'Hello'.startswith('')
'abcabc'.find('c'), 'abc'.find('x'), 'abcabc'.rfind('c'), 'éc'.index('c'), 'abab'.count('ab'), 'ab'.count('')
'k=v=w'.partition('='), 'k=v=w'.rpartition('='), 'k'.partition('='), 'k'.rpartition('=')
'a\nb\r\nc\n\nd\n'.splitlines(), ''.splitlines()
'a'.center(4), 'ab'.center(5,'*'), 'a'.ljust(3) ~ '|', 'a'.rjust(3)
'123'.isdigit(), ''.isdigit(), 'abc'.isalpha(), 'a1'.isalnum(), ' '.isspace(), 'AB'.isupper(), 'Ab1'.islower(), 'ab1'.islower()
'-'.join(['a','b']), 'TestHook'.removeprefix('Test'), 'x.txt'.removesuffix('.txt')
{'a':1}.get('a'), {'a':1}.get('b'), {'a':1}.get('b', 5), {'a':1,'b':2}.keys()|list, {'a':1}.values()|list, {'a':1,'b':2}.items()|list
{'items': 5}['items'], {'a': {'b': 7}}.a.b, [1,2,1].count(1), [1,2].index(2)
nope is defined, messages is iterable, messages is string, none is none, 'a' is string, {} is mapping, 3 is odd, 4 is even
9 is divisibleby 3, 9 is divisibleby(2), nope is not defined, 1 is number, 1.0 is float, 1 is integer, true is boolean, true is integer, none is defined
'a' is sameas 'b', none is sameas none, true is sameas true, 1 is eq 1, 2 is gt 1, 'a' is in 'abc', 'abc' is lower, 'ABC' is upper, [] is sequence, messages is callable
range(3)|list, range(1,4)|list, range(5,0,-2)|list, range(0)|list, dict(a=1, b='x')
true is true and false is false, 1 is true
"""

TEMPLATES = {
    "loop": "{% for k, v in {'a':1,'b':2}.items() %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ k }}={{ v }}{{ ',' if not loop.last }}{% endfor %}",
    "loop filter": "{% for i in range(5) if i%2 %}{{ i }}/{{ loop.length }} {% else %}none{% endfor %}|{% for i in [] %}x{% else %}none{% endfor %}",
    "loop controls": "{% for i in range(10) %}{% if i==3 %}{% continue %}{% endif %}{% if i==5 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "loop neighbours": "{% for m in messages %}{{ loop.previtem.role if loop.previtem is defined }}<{{ m.role }}>{{ loop.nextitem.role if not loop.last }};{{ loop.cycle('a','b') }}{{ loop.changed(m.role) }} {% endfor %}",
    "loop recursive": "{% for n in [{'v':1,'c':[{'v':2,'c':[]},{'v':3,'c':[{'v':4,'c':[]}]}]}] recursive %}({{ n.v }}@{{ loop.depth }}{{ loop(n.c) }}){% endfor %}",
    "loop nested": "{% for a in [1,2] %}{% for b in 'xy' %}{{ a }}{{ b }}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}",
    "loop unpack": "{% for a, (b) in [(1,2),(3,4)] %}{{ a }}{{ b }} {% endfor %}{% for (x, y) in [(1,2)] %}{{ x+y }}{% endfor %}",
    "loop scope": "{% set a=1 %}{% for i in [1] %}{% set a=2 %}{% endfor %}{{ a }}{% if true %}{% set a=3 %}{% endif %}{{ a }}{% for i in [1,2] %}{{ b }}{% set b = i %}{% endfor %}",
    "namespace": "{% set ns = namespace(a=1, found=false) %}{% for m in messages %}{% set ns.a = ns.a + 1 %}{% if not ns.found %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.a }} {{ ns.found }} {{ ns.nope is defined }}",
    "macro": "{% macro f(a, b='z', c=none) %}[{{ a }}|{{ b }}|{{ c }}]{% endmacro %}{{ f(1) }}{{ f(1, c=3) }}{{ f('x', 'y') }}{{ f() }}{% set y %}blk {{ f(2) }}{% endset %}{{ y|trim }}",
    "macro outer": "{% set x = 1 %}{% macro f() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ f() }}{% macro g(n) %}{{ n }}{% if n > 0 %}{{ g(n-1) }}{% endif %}{% endmacro %}{{ g(3) }}",
    "call": "{% macro d(x) %}<{{ caller(x) }}>{% endmacro %}{% call(y) d(5) %}in{{ y }}{% endcall %}{% macro e() %}({{ caller() }}){% endmacro %}{% call e() %}plain{% endcall %}",
    "filter block": "{% filter upper %}abc {{ 1 }}{% endfilter %}{% filter trim | title %} a b {% endfilter %}",
    "with": "{% with a=1, b=2 %}{{ a + b }}{% endwith %}{{ a }}",
    "set": "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = 1, 2 %}{{ c }}{% set d | upper %}x{{ a }}{% endset %}{{ d }}",
    "undefined": "{{ x }}|{{ messages[0].nope }}|{% if x %}y{% endif %}|{{ x or 'dflt' }}|{% for i in x %}i{% endfor %}|{{ x == y }}",
    "raw": "{% raw %}{{ x }}{% if %}{% endraw %}{# c #} {%- if true -%} \n a \n{%- endif %}\n\nend\n",
    "raw strip": "a  {%- raw -%}  {{ b }}  {%- endraw -%}  c",
    "trim blocks": "{% if true %}\nx\n{% endif %}\ny\n{# note #}\nz\n{{ 1 }}\n\n",
    "lstrip blocks": "a\n  {% if true %}\n    b\n  {% endif %}\n  {{ 'c' }}\n  {# d #}\n x {% if true %}e{% endif %}\n",
    "signs": "  {%- if true %}\n   a\n  {% endif %}\n b {{- 'c' -}} d\n   {%+ if true %}k{% endif +%}\nz  {#- x -#}  w {{+ 1 }}",
    "brackets": "{{ {'a': {'b': 1}}['a']['b'] }}{{ '}}' }}{{ \"%}\" }}{% if '%}' %}x{% endif %}{ {a} #}",
    "newlines": "a\r\nb\rc{{ '\r\n' }}d\r\n",
    "generation": "{% for m in messages %}{% generation %}{{ m.content }}{% set q = 1 %}{% endgeneration %}{% endfor %}",
    "elif": "{% for i in range(4) %}{% if i == 0 %}a{% elif i == 1 %}b{% elif i == 2 %}c{% else %}d{% endif %}{% endfor %}",
    "joiner": "{% set j = joiner('|') %}{% for i in range(3) %}{{ j() }}{{ i }}{% endfor %}",
    "raise": "{{ raise_exception('no ' ~ 'way') }}",
    "fail attribute": "{{ x.y }}",
    "fail add": "{{ 'a' + 1 }}",
    "fail none": "{{ messages[0].content + none }}",
    "fail call": "{{ nope() }}",
    "fail unpack": "{% for a, b in [1] %}{% endfor %}",
    "fail tuple": "{% for a, b in [(1,2,3)] %}{% endfor %}",
    "fail json": "{{ nope | tojson }}",
    "fail change": "{% set l = [] %}{% set x = l.append(1) %}",
    "fail underscore": "{{ ''.__class__ }}{{ ''.__class__.x }}",
    "fail set": "{% set d = {} %}{% set d.x = 1 %}",
    "fail filter": "{{ 1 | nosuch }}",
    "fail syntax": "{% if %}{% endif %}",
    "fail order": "{{ 1 < 'a' }}",
}


def main():
    for line in EXPRESSIONS.strip().split("\n"):
        TEMPLATES["expression: " + line] = "{{ " + line + " }}"
    out = []
    for name, source in TEMPLATES.items():
        try:
            row = {"name": name, "template": source, "rendered": ENV.from_string(source).render(messages=MESSAGES)}
        except Exception as err:
            if not name.startswith(("fail", "raise")):
                raise SystemExit(f"{name}: {err!r}")
            row = {"name": name, "template": source, "error": str(err)}
        out.append(row)
    path = pathlib.Path(__file__).parent / "vectors.json"
    path.write_text(json.dumps({"jinja": jinja2.__version__, "messages": MESSAGES, "vectors": out}, indent=1) + "\n")


main()
