// Builds the kernels: the native addon when there is a C++ compiler, and the WASM module. Placeholder until native/ exists.
