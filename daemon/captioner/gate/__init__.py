"""The Korean gate: no text of a model is stored before its language and its form were looked at."""

from daemon.captioner.gate.cleaning import cleaned
from daemon.captioner.gate.rules import review_reasons

__all__ = ["cleaned", "review_reasons"]
