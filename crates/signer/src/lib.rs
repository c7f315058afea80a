//! The process that holds the keys and signs intents
