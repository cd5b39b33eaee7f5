"""Tools that a model may call while it answers. They read notes within what the conversation may see; none of them changes any."""
