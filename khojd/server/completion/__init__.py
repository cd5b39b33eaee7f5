"""What is offered while typing; `features/completion.py` asks."""
