/** First halves of generated names. */
export const ADJECTIVES: readonly string[] = (
  'able agile amber ample apt ardent astute avid balmy bold brave breezy bright brisk calm candid careful cheerful ' +
  'clear clever cosmic cosy crisp curious daring deft dapper devoted eager earnest elated fair fearless fervent fluent ' +
  'focused fond frank fresh friendly gallant gentle gifted glad gleaming golden graceful grand happy hardy hearty honest ' +
  'hopeful humble ideal jolly jovial keen kind lively loyal lucid lucky mellow merry mighty mindful modest neat nimble ' +
  'noble open patient placid plucky polite proud prudent quick quiet radiant ready resolute rosy serene sharp sincere ' +
  'sleek smart smooth snug spry stable steady stoic sturdy sunny sure swift tender tidy tranquil trusty upbeat valiant ' +
  'vivid warm wise witty zealous zesty'
).split(' ');

/** Second halves: surnames of people of science and engineering. */
export const SURNAMES: readonly string[] = (
  'abel agnesi ampere archimedes aristotle avogadro babbage banach bardeen bell bernoulli bessel bohr boltzmann boole ' +
  'bose boyle brahe brattain brown cannon cantor carnot carson cauchy cavendish celsius chandrasekhar chebyshev cori ' +
  'coulomb crick curie dalton darwin davy descartes dijkstra dirac edison einstein elion erdos euclid euler faraday ' +
  'fermat fermi feynman fibonacci fleming fourier franklin fresnel galilei galois galvani gauss germain gibbs goeppert ' +
  'goodall haber halley hamilton hawking heisenberg hermite herschel hertz hilbert hodgkin hooke hopper hubble huygens ' +
  'hypatia jacobi jemison johnson joule kelvin kepler khayyam kirchhoff knuth kovalevskaya lagrange lamarr laplace ' +
  'lavoisier leavitt leibniz liskov lovelace mach maxwell mcclintock meitner mendel mendeleev mersenne mirzakhani morse ' +
  'napier nash neumann newton nightingale nobel noether ohm oppenheimer pascal pasteur pauli pauling payne perlman planck ' +
  'poincare ptolemy pythagoras raman ramanujan riemann ritchie rubin rutherford sagan salk schrodinger shannon snell ' +
  'somerville sutherland tesla thales thompson torvalds turing vesalius villani volta wallace watt weierstrass wilson wing wozniak wright wu yalow yonath'
).split(' ');
