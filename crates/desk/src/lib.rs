//! One pipeline for every order, stream and reconciliation
