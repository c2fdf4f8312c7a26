"""Software of others, byte for byte; VERSIONS.md names it and its licences."""
