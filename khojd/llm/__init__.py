"""Chat models, remote embeddings and re-ranking behind one small protocol, and a router. Nothing here runs unless configured."""
