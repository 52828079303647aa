#![no_main]

drawbridge_fuzz::target!(greeting);
