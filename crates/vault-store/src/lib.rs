//! Vault files, keychain anchor and backups: ciphertext only
