"""Texts for hypothesis: all characters that an answer in UTF-8 can carry."""

from hypothesis import strategies as st

CHARACTERS = st.characters(exclude_categories=["Cs"])
"""What `st.text()` takes by default, without trying each of a million characters in each process, which takes 2.5 s."""
