//! Tests of the engine: tables of examples, stories of triggers and lists, and agreement with an obvious engine.

mod desk;
mod examples;
mod stories;
