mod cli;
mod config;
mod reports;
