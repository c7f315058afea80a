//! Tests of the engine: tables of examples, stories of triggers and lists, and agreement with an obvious engine.

mod agreement;
mod desk;
mod examples;
mod slow;
mod stories;
