//! Weak, long weak and soft pointers, ephemerons, finalizers, and the weak collections: what becomes of objects that
//! nothing reaches, and of the references to them.
//!
//! Each test runs in all ways in which heaps are collected. The same on several threads is in `shared`.

mod claimed_keys;
mod ends;
mod ephemerons;
mod finalizers;
mod hooks;
mod marked;
mod nodes;
mod order;
mod polled;
mod polled_new;
mod pressure;
mod reentrancy;
mod resurrection;
mod shells;
mod soft;
mod tables;
mod trait_objects;
