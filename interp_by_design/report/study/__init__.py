"""Blind study of attribute descriptions: page, key and answers."""
