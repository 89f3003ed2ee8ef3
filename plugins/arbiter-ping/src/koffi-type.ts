/** The type of the library that is loaded only when it is needed. */

export type Koffi = typeof import("koffi").default;
