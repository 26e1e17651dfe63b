/** Words that carry grammar and no topic. Data only; English, since nearly all of the corpus is. */
export const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a about above after again all also am an and any are as at be because been before being below ' +
    'between both but by can cannot could did do does doing don down during each either etc few for ' +
    'from further had has have having he her here hers him his how however i if in into is it its ' +
    'itself just let like ll may me might more most must my no nor not now of off on once only or ' +
    'other our out over own per please re s same see she should since so some such t than that the ' +
    'their them then there these they this those through thus to too under until up upon us use used ' +
    'using ve very via was we were what when where whether which while who why will with within ' +
    "without would yes yet you your don't doesn't isn't can't won't it's you're that's"
  ).split(' '),
);
