/** How long a text is. */
export default (text) => text.length;
