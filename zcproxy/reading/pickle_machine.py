"""Reader of pickles of plain data: containers, text, numbers, and numpy's numbers and arrays.

It knows the instructions that such pickles are made of and no other: nothing is imported, no class is made, no state
reaches an object. What a short pickle can make is bounded too, and keys of dictionaries are plain, because hashing a
deeply nested tuple overflows the stack of the process.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from zcproxy.reading import plain_numpy
from zcproxy.reading.unpacking import Readable

_PIECE = 2**20
_LONGEST_LINE = 2**20
_CONTAINERS, _BYTES_A_CONTAINER = 10**6, 8
"""Containers that any pickle may make; a longer one may make one more for each of these bytes."""

_PLAIN_KEYS = (str, int, float, bool, bytes, type(None))


class ForbiddenError(Exception):
    """A pickle names a class or function that plain data does not need."""


class _Name:
    """A class or function that a pickle may name, and what is done where the pickle calls it."""

    __slots__ = ("made",)

    def __init__(self, made: Callable[..., Any] | None) -> None:
        self.made = made


class _Unfinished:
    """An array whose state has not come yet; `keys` are its places in the memo."""

    __slots__ = ("keys",)

    def __init__(self, *_: Any) -> None:
        self.keys: list[int] = []


def _encoded(text: Any, encoding: Any) -> bytes:
    """Return the bytes that Python 3 writes as text in the old protocol."""
    if type(text) is not str or encoding != "latin1":
        raise ValueError("bytes are not written as latin1")
    return text.encode("latin1")


def _dictionary(items: Any = ()) -> dict[Any, Any]:
    found = {}
    for pair in items if type(items) in (list, tuple) else ():
        if type(pair) not in (list, tuple) or len(pair) != 2:
            raise ValueError("an item of a dictionary is not a pair")
        found[_key(pair[0])] = pair[1]
    return found


def _set(items: Any = ()) -> set[Any]:
    return {_key(item) for item in (items if type(items) in (list, tuple) else ())}


_BUILTINS = {
    "dict": _Name(_dictionary),
    "list": _Name(lambda items=(): list(items) if type(items) in (list, tuple) else []),
    "set": _Name(_set),
    "bytes": _Name(lambda: b""),
    "frozenset": _Name(lambda items=(): frozenset(_set(items))),
}
_NAMES: dict[tuple[str, str], _Name] = {
    **{(module, name): known for module in ("builtins", "__builtin__") for name, known in _BUILTINS.items()},
    ("collections", "OrderedDict"): _Name(_dictionary),
    ("collections", "defaultdict"): _Name(lambda *_: {}),
    ("_codecs", "encode"): _Name(_encoded),
    ("numpy", "dtype"): _Name(plain_numpy.PlainType),
    ("numpy", "ndarray"): _Name(None),
    **{(f"numpy.{core}.multiarray", "scalar"): _Name(plain_numpy.scalar) for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Name(_Unfinished) for core in ("core", "_core")},
}


def _key(item: Any) -> Any:
    """Return what may be a key or a member of a set. Raises `UnpicklingError` for anything else."""
    if type(item) in _PLAIN_KEYS or isinstance(item, np.generic):
        return item
    if type(item) is tuple and all(type(part) in _PLAIN_KEYS for part in item):
        return item
    raise pickle.UnpicklingError(f"a {type(item).__name__} is a key or a member of a set")


class PickleMachine:
    """Reads one pickle.

    Args:
        stream: at the start of the pickle.
        encoding: encoding of text that Python 2 wrote; `bytes` leaves it as bytes.
    """

    def __init__(self, stream: Readable, encoding: str = "ascii") -> None:
        self._stream, self._encoding = stream, encoding
        self._buffer, self._at, self._passed = b"", 0, 0
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._containers = 0

    def load(self) -> Any:
        """Return the object.

        Raises:
            ForbiddenError: the pickle names another class or function than plain data needs.
            pickle.UnpicklingError: it has another instruction, or makes something out of proportion.
            EOFError, LookupError, TypeError, ValueError, OverflowError, struct.error: it is malformed.
        """
        while (code := self._take(1)) != pickle.STOP:
            instruction = _INSTRUCTIONS.get(code)
            if instruction is None:
                raise pickle.UnpicklingError(f"plain data has no instruction {code!r}")
            instruction(self)
        if len(self._stack) != 1 or self._below:
            raise pickle.UnpicklingError("it ends in the middle")
        return self._stack[0]

    def at_end(self) -> bool:
        """Whether nothing follows the pickle; makes a compressed stream check its end."""
        return self._at >= len(self._buffer) and not self._stream.read(1)

    # Bytes

    def _fill(self, size: int) -> None:
        """Have `size` bytes ahead. Raises `EOFError`."""
        kept = self._buffer[self._at :]
        self._passed += self._at
        pieces, found = [kept], len(kept)
        while found < size:
            piece = self._stream.read(_PIECE)
            if not piece:
                raise EOFError("it ends too early")
            pieces.append(piece)
            found += len(piece)
        self._buffer, self._at = b"".join(pieces), 0

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._buffer):
            self._fill(size)
            end = size
        found = self._buffer[self._at : end]
        self._at = end
        return found

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            if len(self._buffer) - self._at > _LONGEST_LINE:
                raise pickle.UnpicklingError("a line has no end")
            self._fill(len(self._buffer) - self._at + 1)
        found = self._buffer[self._at : end]
        self._at = end + 1
        return found

    # The stack

    def _push(self, item: Any) -> None:
        self._stack.append(item)

    def _counted(self, container: Any) -> None:
        self._containers += 1
        if self._containers > _CONTAINERS + (self._passed + self._at) // _BYTES_A_CONTAINER:
            raise pickle.UnpicklingError("it makes more containers than measured results have")
        self._stack.append(container)

    def _mark(self) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        found = self._stack
        self._stack = self._below.pop()
        return found

    def _tuple_of(self, size: int) -> None:
        if len(self._stack) < size:
            raise pickle.UnpicklingError("a tuple is made of more than there is")
        items = tuple(self._stack[-size:])
        del self._stack[-size:]
        self._counted(items)

    def _top(self, kind: type) -> Any:
        """Return what a container's items go to; it must be one of its kind, made here."""
        if type(self._stack[-1]) is not kind:
            raise pickle.UnpicklingError(f"items go to a {type(self._stack[-1]).__name__}, not to a {kind.__name__}")
        return self._stack[-1]

    def _set_items(self, items: list[Any]) -> None:
        if len(items) % 2:
            raise pickle.UnpicklingError("a key has no value")
        target = self._top(dict)
        for place in range(0, len(items), 2):
            target[_key(items[place])] = items[place + 1]

    def _append(self) -> None:
        item = self._stack.pop()
        self._top(list).append(item)

    def _extend(self) -> None:
        items = self._since_mark()
        self._top(list).extend(items)

    def _set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._top(dict)[_key(key)] = value

    def _dictionary(self) -> None:
        items = self._since_mark()
        self._counted({})
        self._set_items(items)

    def _add_items(self) -> None:
        items = self._since_mark()
        self._top(set).update(map(_key, items))

    # Names

    def _find(self, module: str, name: str) -> None:
        try:
            self._push(_NAMES[module, name])
        except KeyError:
            raise ForbiddenError(f"{module}.{name}") from None

    def _find_on_stack(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if type(module) is not str or type(name) is not str:
            raise pickle.UnpicklingError("a name is not text")
        self._find(module, name)

    def _call(self) -> None:
        arguments, known = self._stack.pop(), self._stack.pop()
        if type(known) is not _Name or known.made is None or type(arguments) is not tuple:
            raise pickle.UnpicklingError("it calls something that is not a function of plain data")
        self._counted(known.made(*arguments))

    def _build(self) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        if type(target) is plain_numpy.PlainType:
            target.__setstate__(state)
        elif type(target) is _Unfinished:
            self._stack[-1] = plain_numpy.array(state)
            for key in target.keys:
                self._memo[key] = self._stack[-1]
        else:
            raise pickle.UnpicklingError(f"it gives a state to a {type(target).__name__}")

    def _remember(self, key: int) -> None:
        item = self._stack[-1]
        if type(item) is _Unfinished:
            item.keys.append(key)
        self._memo[key] = item

    # Numbers and text

    def _decimal(self) -> None:
        text = self._line()
        self._push({b"00": False, b"01": True}[text] if text in (b"00", b"01") else int(text.removesuffix(b"L")))

    def _text(self, size: int) -> None:
        self._push(self._take(size).decode("utf-8"))

    def _old_text(self, size: int) -> None:
        found = self._take(size)
        self._push(found if self._encoding == "bytes" else found.decode(self._encoding))


# What each instruction does; those that import, make objects of classes, or ask for what is outside are none of them.
_INSTRUCTIONS: dict[bytes, Callable[[PickleMachine], object]] = {
    pickle.PROTO: lambda m: m._take(1),
    pickle.FRAME: lambda m: m._take(8),
    pickle.MARK: PickleMachine._mark,
    pickle.POP: lambda m: m._stack.pop(),
    pickle.POP_MARK: PickleMachine._since_mark,
    pickle.DUP: lambda m: m._push(m._stack[-1]),
    pickle.NONE: lambda m: m._push(None),
    pickle.NEWTRUE: lambda m: m._push(True),
    pickle.NEWFALSE: lambda m: m._push(False),
    pickle.INT: PickleMachine._decimal,
    pickle.LONG: PickleMachine._decimal,
    pickle.FLOAT: lambda m: m._push(float(m._line())),
    pickle.BININT: lambda m: m._push(m._number("<i")),
    pickle.BININT1: lambda m: m._push(m._take(1)[0]),
    pickle.BININT2: lambda m: m._push(m._number("<H")),
    pickle.LONG1: lambda m: m._push(int.from_bytes(m._take(m._take(1)[0]), "little", signed=True)),
    pickle.BINFLOAT: lambda m: m._push(m._number(">d")),
    pickle.UNICODE: lambda m: m._push(m._line().decode("raw-unicode-escape")),
    pickle.BINUNICODE: lambda m: m._text(m._number("<I")),
    pickle.SHORT_BINUNICODE: lambda m: m._text(m._take(1)[0]),
    pickle.BINUNICODE8: lambda m: m._text(m._number("<Q")),
    pickle.BINSTRING: lambda m: m._old_text(m._number("<I")),
    pickle.SHORT_BINSTRING: lambda m: m._old_text(m._take(1)[0]),
    pickle.BINBYTES: lambda m: m._push(m._take(m._number("<I"))),
    pickle.SHORT_BINBYTES: lambda m: m._push(m._take(m._take(1)[0])),
    pickle.BINBYTES8: lambda m: m._push(m._take(m._number("<Q"))),
    pickle.EMPTY_LIST: lambda m: m._counted([]),
    pickle.LIST: lambda m: m._counted(m._since_mark()),
    pickle.APPEND: PickleMachine._append,
    pickle.APPENDS: PickleMachine._extend,
    pickle.EMPTY_DICT: lambda m: m._counted({}),
    pickle.DICT: PickleMachine._dictionary,
    pickle.SETITEM: PickleMachine._set_item,
    pickle.SETITEMS: lambda m: m._set_items(m._since_mark()),
    pickle.EMPTY_SET: lambda m: m._counted(set()),
    pickle.ADDITEMS: PickleMachine._add_items,
    pickle.FROZENSET: lambda m: m._counted(frozenset(map(_key, m._since_mark()))),
    pickle.EMPTY_TUPLE: lambda m: m._push(()),
    pickle.TUPLE: lambda m: m._counted(tuple(m._since_mark())),
    pickle.TUPLE1: lambda m: m._tuple_of(1),
    pickle.TUPLE2: lambda m: m._tuple_of(2),
    pickle.TUPLE3: lambda m: m._tuple_of(3),
    pickle.PUT: lambda m: m._remember(int(m._line())),
    pickle.BINPUT: lambda m: m._remember(m._take(1)[0]),
    pickle.LONG_BINPUT: lambda m: m._remember(m._number("<I")),
    pickle.MEMOIZE: lambda m: m._remember(len(m._memo)),
    pickle.GET: lambda m: m._push(m._memo[int(m._line())]),
    pickle.BINGET: lambda m: m._push(m._memo[m._take(1)[0]]),
    pickle.LONG_BINGET: lambda m: m._push(m._memo[m._number("<I")]),
    pickle.GLOBAL: lambda m: m._find(m._line().decode(), m._line().decode()),
    pickle.STACK_GLOBAL: PickleMachine._find_on_stack,
    pickle.REDUCE: PickleMachine._call,
    pickle.BUILD: PickleMachine._build,
}
