"""Makes one function of a blueprint's sheets: structure and names are Python, all other expressions one call of Jinja2.

What is fixed costs nothing at run time, and no value can change the structure around it. When a call fails, the
expressions are tried one by one to find the place.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmgit.blueprints.directives import PARTS, Choice, Fixed, Leaf, Loop, Map, Merge, Node, Reader, Sheet
from mmgit.blueprints.directives import Sequence as Items
from mmgit.blueprints.faults import BlueprintFault, Place, fault
from mmgit.blueprints.names import python_of
from mmgit.blueprints.plain import NotPlain, described, fresh, not_plain

Variables = dict[str, Any]
Objects = list[dict[str, Any]]
Build = Callable[[Variables], Objects]
_Guards = tuple[tuple[Leaf, bool], ...]
_Guarded = tuple[Leaf, _Guards]


def compile_sheets(sheets: Mapping[str, Sheet]) -> Build:
    """The function from variables to objects, in the order of the sheets' names. Both raise `BlueprintFault`."""
    reader = Reader(sheets)
    roots = {sheets[name].path: reader.sheet(name) for name in sorted(sheets) if not name.startswith(PARTS)}
    if reader.findings:
        raise BlueprintFault(*reader.findings)
    scope = _Scope()
    build = scope.function(f"[{', '.join(f'[{scope.item(root, ())}]' for root in roots.values())}]")

    def objects(variables: Variables) -> Objects:
        made = zip(roots, build(variables), strict=True)
        return [_object(each, path) for path, several in made for each in several]

    return objects


def _object(made: Any, path: str) -> dict[str, Any]:  # noqa: ANN401 - checked here
    if isinstance(made, dict):
        return made
    raise fault("M512", (path, ()), f"this file makes {described(made)}; every object is a map")


class _Scope:
    """What one call evaluates: the blueprint outside its loops, or the body of one loop.

    The Python that is written sees `x`, the variables; `v`, what Jinja2 makes of them; `c`, which copies a value; and
    `f`, what loops and merges do.
    """

    def __init__(self) -> None:
        self.leaves: list[_Guarded] = []
        self.functions: list[Callable[..., Any]] = []
        self._numbers: dict[tuple[str, ...], int] = {}
        self._evaluated: list[_Guarded] = []

    def function(self, source: str) -> Callable[[Variables], Any]:
        """`source`, compiled together with the expressions that it asks for."""
        evaluate = _evaluator(self._evaluated)
        build = eval(f"lambda x, v, c, f: {source}", {})  # noqa: S307 - written below: literals, indexes, names as text
        functions = tuple(self.functions)

        def call(variables: Variables) -> Any:  # noqa: ANN401 - a list, or a map
            try:
                return build(variables, evaluate(variables), fresh, functions)
            except BlueprintFault:
                raise
            except Exception as error:  # noqa: BLE001 - nearly always an expression of the blueprint
                raise (_explained(self.leaves, variables) or error) from None

        return call

    def item(self, node: Node, guards: _Guards) -> str:
        """`node` as it stands in a list: with `*` where it gives none or many."""
        if isinstance(node, Choice):
            condition, then, otherwise = self._branches(node, guards)
            no = self.item(node.otherwise, otherwise) if node.otherwise else ""
            return f"*([{self.item(node.then, then)}] if {condition} else [{no}])"
        if isinstance(node, Loop) and node.key is None:
            return f"*{self._value(node, guards)}"
        return self._value(node, guards)

    def entry(self, key: str, node: Node, guards: _Guards) -> str:
        """`node` as it stands in a map under `key`, which is Python for the key: with `**` where it may be dropped."""
        if isinstance(node, Choice):
            condition, then, otherwise = self._branches(node, guards)
            no = self.entry(key, node.otherwise, otherwise) if node.otherwise else ""
            return f"**({{{self.entry(key, node.then, then)}}} if {condition} else {{{no}}})"
        return f"{key}: {self._value(node, guards)}"

    def _branches(self, node: Choice, guards: _Guards) -> tuple[str, _Guards, _Guards]:
        condition = self._leaf(node.condition, guards)
        return condition, (*guards, (node.condition, True)), (*guards, (node.condition, False))

    def _value(self, node: Node, guards: _Guards) -> str:
        match node:
            case Leaf():
                return f"c({self._leaf(node, guards)})"
            case Fixed():
                return repr(node.value)
            case Map():
                return f"{{{', '.join(self.entry(repr(key), item, guards) for key, item in node.entries)}}}"
            case Items():
                return f"[{', '.join(self.item(item, guards) for item in node.items)}]"
            case Merge():
                return f"{self._function(_merger(node.place))}({self._value(node.parts, guards)})"
            case Loop():
                return f"{self._function(_looper(node))}({self._leaf(node.items, guards)}, x)"
            case Choice():
                raise AssertionError("a choice stands in a list or under a key")

    def _function(self, function: Callable[..., Any]) -> str:
        self.functions.append(function)
        return f"f[{len(self.functions) - 1}]"

    def _leaf(self, leaf: Leaf, guards: _Guards) -> str:
        identity = (leaf.source, *(f"{wanted} {condition.source}" for condition, wanted in guards))
        if (python := python_of(leaf.source)) is None:
            if identity not in self._numbers:
                self._evaluated.append((leaf, guards))
            python = f"v[{self._numbers.setdefault(identity, len(self._evaluated) - 1)}]"
        self.leaves.append((leaf, guards))
        return python


def _evaluator(guarded: Sequence[_Guarded]) -> Callable[[Variables], list[Any]]:
    """What gives the values of all expressions that are more than names."""
    if not guarded:
        return lambda _: []
    from mmgit.blueprints import expressions  # noqa: PLC0415 - most blueprints do without Jinja2

    evaluate = expressions.compile_all([_expression(leaf, guards) for leaf, guards in guarded])
    return lambda variables: list(map(fresh, evaluate(variables)))


def _explained(leaves: Sequence[_Guarded], variables: Variables) -> BlueprintFault | None:
    """The first of `leaves` that fails by itself, and why; None if it was something else that failed."""
    from mmgit.blueprints import expressions  # noqa: PLC0415 - as above

    for leaf, guards in leaves:
        value = None
        try:
            (value,) = expressions.compile_all([_expression(leaf, guards)])(variables)
            fresh(value)
        except NotPlain:
            if not expressions.is_missing(value):
                return fault("M506", leaf.place, f"`{leaf.source}`: gives {not_plain(value)}")
            message, hint = expressions.why(value, expressions.parse(leaf.source), variables)
        except Exception as cause:  # noqa: BLE001 - as above
            message, hint = expressions.why(cause, expressions.parse(leaf.source), variables)
        else:
            continue
        return fault("M505", leaf.place, f"`{leaf.source}`: {message}", hint)
    return None


def _expression(leaf: Leaf, guards: _Guards) -> Any:  # noqa: ANN401 - Jinja2's, which is not imported here
    """`leaf` where all `guards` hold."""
    from mmgit.blueprints import expressions  # noqa: PLC0415 - as above

    conditions = [(expressions.parse(condition.source), wanted) for condition, wanted in guards]
    return expressions.guarded(expressions.parse(leaf.source), conditions)


def _looper(loop: Loop) -> Callable[[Any, Variables], Any]:
    scope = _Scope()
    if loop.key is None:
        body = scope.function(f"[{scope.item(loop.body, ())}]")
    else:
        body = scope.function(f"{{{scope.entry(scope._value(loop.key, ()), loop.body, ())}}}")  # noqa: SLF001 - same class

    def run(items: Any, variables: Variables) -> Any:  # noqa: ANN401 - checked here
        if not isinstance(items, list):
            raise fault("M505", loop.items.place, f"`{loop.items.source}` is no list", "of a map: name | dictsort")
        results = [body({**variables, loop.name: item}) for item in items]
        if loop.key is None:
            return [value for result in results for value in result]
        return _joined(results, loop.key)

    return run


def _joined(maps: Sequence[dict[Any, Any]], key: Leaf) -> dict[str, Any]:
    joined: dict[str, Any] = {}
    for name, value in (entry for each in maps for entry in each.items()):
        if not isinstance(name, str):
            raise fault("M506", key.place, f"`{key.source}` gives a key that is no text: {name}")
        if name in joined:
            raise fault("M505", key.place, f"`{key.source}` gives the key `{name}` twice")
        joined[name] = value
    return joined


def _merger(place: Place) -> Callable[[list[Any]], dict[str, Any]]:
    def merge(maps: list[Any]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for each in maps:
            if not isinstance(each, dict):
                raise fault("M505", place, f"$merge of something that is no map: {each!r:.60}")
            merged = _merged(merged, each)
        return merged

    return merge


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = {**under, **over}
    for key in under.keys() & over.keys():
        if isinstance(under[key], dict) and isinstance(over[key], dict):
            merged[key] = _merged(under[key], over[key])
    return merged
