/** @file Single-file components as the compiler's plain half sees them. */
declare module '*.css'
