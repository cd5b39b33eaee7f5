"""One module per kind of server. Their SDKs are heavy, so a module is imported when a provider of its kind is configured."""
