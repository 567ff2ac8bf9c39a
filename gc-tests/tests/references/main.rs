//! What becomes of objects that nothing reaches, and of the references to them: each test in all ways in
//! which heaps are collected.

mod ephemerons;
mod finalizers;
mod hooks;
mod marked;
mod order;
mod polled;
mod pressure;
mod soft;
mod tables;
