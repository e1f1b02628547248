//! What leaves the process.

#[cfg(test)]
mod otlp;
