"""Makes a website of the tutorials; only `plugin` knows MkDocs."""
