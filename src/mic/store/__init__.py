"""The object-store port and its adapters: the only room that touches stored bytes.

An adapter tells absent (`NotFound`) from unreachable (`Unavailable`), never turns an error into an empty
answer, and gives compare-and-swap. Nothing here caches a key that can change.
"""

from mic.store.directory import DirectoryStore
from mic.store.memory import MemoryStore
from mic.store.port import Listed, MapsObjects, ObjectStore, Tagged

__all__ = ["DirectoryStore", "Listed", "MapsObjects", "MemoryStore", "ObjectStore", "Tagged"]
