"""Journals as released versions left them on a store's disk, and the command that makes the next one."""
