"""What samples are held against: real data, in features that the numbers' names tell."""

from sparring.judge.against import Against
from sparring.judge.features import Features, chosen
from sparring.judge.findings import Trouble, findings
from sparring.judge.number import Number
from sparring.judge.real import Real, read
from sparring.judge.seen import Seen

__all__ = ["Against", "Features", "Number", "Real", "Seen", "Trouble", "chosen", "findings", "read"]
