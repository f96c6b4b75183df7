"""How one platform is observed and changed."""
