"""Frames and a prompt in, a Korean text out. Only modules that run a model import torch."""
