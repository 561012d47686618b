#![cfg_attr(fuzzing, no_main)]

clasp_fuzz::fuzz!("quic");
