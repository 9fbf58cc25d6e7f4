/**
 * Makes an element. Children are elements or text; text is never read as HTML. Attributes that are functions
 * listen to the event of that name.
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(key, value);
    else if (value === true) made.setAttribute(key, '');
    else if (value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== undefined));
  return made;
}

/** HARM_LANGUAGE as people read it. */
export function readable(category) {
  return category[0] + category.slice(1).toLowerCase().replaceAll('_', ' ');
}
