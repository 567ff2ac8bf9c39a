//! What becomes of objects that nothing reaches, and of the references to them: each test in all ways in
//! which heaps are collected.

mod claimed_keys;
mod ends;
mod ephemerons;
mod finalizers;
mod hooks;
mod marked;
mod nodes;
mod order;
mod polled;
mod pressure;
mod reentrancy;
mod resurrection;
mod soft;
mod tables;
mod trait_objects;
