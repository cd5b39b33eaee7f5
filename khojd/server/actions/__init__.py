"""What is offered at a place of a note; `features/code_action.py` asks."""
