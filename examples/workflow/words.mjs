/** A text, word by word. */
export default function* words(text) {
  for (const word of text.split(' ')) yield `${word} `;
}
