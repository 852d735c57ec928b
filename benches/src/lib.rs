//! Capture measured beside what people would use instead.

pub mod benchmark;
pub mod build_cost;
pub mod chart;
pub mod children;
pub mod clients;
pub mod core;
pub mod endpoint;
pub mod gate;
pub mod goals;
pub mod growth;
pub mod inputs;
pub mod loopback;
pub mod machine;
pub mod measure;
pub mod peers;
pub mod report;
pub mod results;
pub mod server;
pub mod subject;
pub mod suite;
