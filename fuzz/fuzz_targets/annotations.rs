#![cfg_attr(fuzzing, no_main)]

imlp_fuzz::target!(imlp_fuzz::annotations);
