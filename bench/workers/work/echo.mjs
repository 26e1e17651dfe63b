// The work itself, for pools that take a function from a file, and for Troupe as it is.
export default (input) => input;
