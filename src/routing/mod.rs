//! Which SIM takes which text: pure rules, no I/O, no clock.

pub mod class;
pub mod seats;
