//! The collector as a whole: that it finds everything in graphs of all shapes with little stack,
//! and works when it is time.

mod destructors;
mod empty_cells;
mod marking;
mod modes;
mod pacing;
