"""The template tag of sentences; every template has it without loading it.

    {% tr %}Nothing older.{% endtr %}
    {% tr %}with {{ row.agent|shorten:60|one_line }}{% endtr %}
    {% tr count=waiting %}A finding waits{% plural %}{{ waiting }} findings wait{% endtr %}

A sentence is whole: what is in it besides its words is a place, `{agent}`, called as the last name of its variable or
as its tag. A translation has the same places in an order of its own. Values are escaped as ever, and never read as a
pattern.
"""

from __future__ import annotations

from django import template
from django.template import Context, Node, NodeList, TemplateSyntaxError
from django.template.base import FilterExpression, Parser, TextNode, Token, VariableNode
from django.utils.safestring import SafeString

from micelio.languages.known import ENGLISH
from micelio.languages.spoken import gettext, ngettext, spoken

register = template.Library()


class Sentence(Node):
    """One sentence, in one form or two. `message` and `plural` are what the catalogs call it."""

    child_nodelists = ("one", "many")

    def __init__(self, one: NodeList, many: NodeList | None, count: FilterExpression | None) -> None:
        self.one, self.many, self._count = one, many or NodeList(), count
        self._places: dict[str, Node] = {}
        self.message = self._pattern(one)
        self.plural = self._pattern(many) if many is not None else ""

    def render(self, context: Context) -> SafeString:
        """The sentence, safe as the template is that it stands in."""
        count = int(self._count.resolve(context) or 0) if self._count is not None else 1
        if spoken() is ENGLISH:
            return (self.many if self.plural and count != 1 else self.one).render(context)
        said = ngettext(self.message, self.plural, count) if self.plural else gettext(self.message)
        if not self._places:
            return SafeString(said)
        return SafeString(said.format(**{name: node.render_annotated(context) for name, node in self._places.items()}))

    def _pattern(self, nodes: NodeList) -> str:
        return "".join(node.s if isinstance(node, TextNode) else f"{{{self._place(node)}}}" for node in nodes)

    def _place(self, node: Node) -> str:
        """What a place is called; the same again for the same again, another name for something else."""
        assert node.token is not None
        contents = node.token.contents
        if isinstance(node, VariableNode):
            wanted = str(node.filter_expression.var).rpartition(".")[2]
        else:
            wanted = contents.split()[0]
        number = 1
        while True:
            name = wanted if number == 1 else f"{wanted}{number}"
            known = self._places.setdefault(name, node)
            assert known.token is not None
            if known.token.contents == contents:
                return name
            number += 1


@register.tag
def tr(parser: Parser, token: Token) -> Sentence:
    """A sentence of the page. `count=` says by which number `{% plural %}` is chosen."""
    words = token.split_contents()[1:]
    count = None
    if words:
        name, _, value = words[0].partition("=")
        if len(words) > 1 or name != "count" or not value:
            raise TemplateSyntaxError("a sentence takes count=NUMBER and nothing else")
        count = parser.compile_filter(value)
    one = parser.parse(("plural", "endtr"))
    many = None
    if parser.next_token().contents == "plural":
        many = parser.parse(("endtr",))
        parser.delete_first_token()
    if (many is None) != (count is None):
        raise TemplateSyntaxError("a sentence with a number has both forms")
    for node in [*one, *(many or [])]:
        if len(node.get_nodes_by_type(Node)) > 1:
            contents = node.token.contents if node.token else ""
            raise TemplateSyntaxError(f"a sentence is whole: {{% {contents} %}} is not for it")
    return Sentence(one, many, count)
