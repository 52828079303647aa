#![no_main]

drawbridge_fuzz::target!(edge);
