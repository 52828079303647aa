#![no_main]

drawbridge_fuzz::target!(settings);
