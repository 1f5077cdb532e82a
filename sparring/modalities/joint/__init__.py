"""Items of several parts that belong together, each part of a kind of data of its own."""

from sparring.modalities.joint.joint import Joint

__all__ = ["Joint"]

KINDS = (Joint,)
