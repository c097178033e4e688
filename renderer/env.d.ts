/** @file Types of single-file components for the plain TypeScript compiler. */
declare module '*.css'
