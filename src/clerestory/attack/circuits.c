/* Finds cheap alternating circuits in linked tables; see circuits.py, which checks everything found here.

   On two axes a circuit is a closed path in a network: cells are arcs between the totals that hold them, a
   rise of a cell is flow along its arc, a fall is flow against it. One of the two axes may be a hierarchy of any
   depth. On every other axis people move from one category to another (or are added to one), so an arc stands
   for the cells of all combinations, with alternating signs. A cheapest circuit is a shortest path (Dijkstra).
   Sources: network flows for two-way tables with one hierarchy, Castro, "Network flows heuristics for
   complementary cell suppression"; products of moves: Diaconis and Sturmfels (1998). */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MOST_AXES 16
#define MOST_CORNERS 1024
#define ENDLESS ((int64_t)1 << 50)
#define MOST_COLUMNS 4096
#define BLOCKED 1e300
#define FREE 0.5 /* a circuit that costs less opens nothing: prices are about 1 and more */

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

typedef struct {
  int32_t axes, units, patterns, hashed; /* hashed: boxes are looked up by a hash of their number, not in a table */
  int64_t size;                          /* numbers that boxes could have, a unit */
  const int32_t *pattern;                /* [patterns] masks of axes that published cells divide */
  const uint8_t *within;                 /* [2^axes] whether a mask is part of a pattern */
  const int32_t *tree;                   /* [axes] whether its sets nest */
  const int32_t *set_from;               /* [axes + 1] into `over` and `child_from` */
  const int32_t *over;                   /* the set that holds a set, -1 */
  const int32_t *child_from;             /* [sets + axes] from axis a at set_from[a] + a */
  const int32_t *child;                  /* elements under a set: atoms, or atoms + set for a set with children */
  const int32_t *atom_from;              /* [axes + 1] into the following */
  const int32_t *own;                    /* the set that is just this atom, -1 */
  const int32_t *hub;                    /* the smallest set that holds the atom and more, -1 */
  const int32_t *chain_from;             /* [atoms + 1] */
  const int32_t *chain;                  /* the sets that hold an atom, the smallest first */
  const double *weight;                  /* how much is in an atom, for choosing a carrier */
  const int32_t *box;                    /* [variables * axes] */
  const int32_t *form;                   /* [2^axes] number of a mask of axes that some box divides, -1 */
  const int64_t *origin;                 /* [forms] a box's number is its form's origin and, for each axis that */
  const int64_t *stride;                 /* [forms * axes] it divides, the stride times the set there */
  const int32_t *place;                  /* [units * size] if not hashed */
  int64_t slots;                         /* a unit, a power of two */
  const int64_t *keys;                   /* [units * slots] numbers, -1 where nothing is */
  const int32_t *at;                     /* [units * slots] their variables */
} Grid;

typedef struct {
  const int64_t *room;  /* [variables] how far each can fall */
  double *price;        /* [variables] 0 where open, infinite where it cannot be opened */
  int64_t *delta;       /* [variables] 0 between calls */
  double step;          /* what a corner costs besides, so that circuits are short */
} Table;

static int64_t slot(int64_t number, int64_t slots) {
  uint64_t mixed = (uint64_t)number * 0x9e3779b97f4a7c15ULL;
  return (int64_t)((mixed ^ mixed >> 32) & (uint64_t)(slots - 1));
}

static int64_t find(const Grid *g, int unit, int64_t number) {
  if (!g->hashed) return g->place[(int64_t)unit * g->size + number];
  const int64_t *keys = g->keys + unit * g->slots;
  for (int64_t k = slot(number, g->slots); keys[k] >= 0; k = (k + 1) & (g->slots - 1))
    if (keys[k] == number) return g->at[unit * g->slots + k];
  return -1;
}

/* Puts boxes where `find` looks for them; of equal ones the first stays. keys: [slots], all -1, more than boxes. */
EXPORT void circuits_index(const int64_t *numbers, const int32_t *variables, int64_t count, int64_t *keys, int32_t *at, int64_t slots) {
  for (int64_t x = 0; x < count; x++) {
    int64_t k = slot(numbers[x], slots);
    while (keys[k] >= 0 && keys[k] != numbers[x]) k = (k + 1) & (slots - 1);
    if (keys[k] < 0) { keys[k] = numbers[x]; at[k] = variables[x]; }
  }
}

/* The sets that a way changes on one axis, as steps in the code. */
typedef struct { int count; int32_t set[64]; int8_t sign[64]; } Way;

static int holds(const Grid *g, int axis, int atom, int32_t set) {
  int32_t a = g->atom_from[axis] + atom;
  for (int32_t k = g->chain_from[a]; k < g->chain_from[a + 1]; k++) if (g->chain[k] == set) return 1;
  return 0;
}

static int make_way(const Grid *g, int axis, int p, int q, Way *way) {
  way->count = 0;
  int32_t a = g->atom_from[axis] + p;
  for (int32_t k = g->chain_from[a]; k < g->chain_from[a + 1]; k++) {
    if (q >= 0 && holds(g, axis, q, g->chain[k])) continue;
    if (way->count == 64) return 0;
    way->set[way->count] = g->chain[k]; way->sign[way->count++] = 1;
  }
  if (q >= 0) {
    int32_t b = g->atom_from[axis] + q;
    for (int32_t k = g->chain_from[b]; k < g->chain_from[b + 1]; k++) {
      if (holds(g, axis, p, g->chain[k])) continue;
      if (way->count == 64) return 0;
      way->set[way->count] = g->chain[k]; way->sign[way->count++] = -1;
    }
  }
  return way->count > 0;
}

/* One network: the tree of axis i, a family of columns on axis j, and the corners of all other axes. */
typedef struct {
  const Grid *g; const Table *t;
  int i, j, columns, total, top; /* total: the column of the family's own total, -1; top: may the root change */
  int32_t carrier[MOST_COLUMNS][8]; int carriers[MOST_COLUMNS]; /* sets of axis j that change together, for each column */
  struct { /* corners on the other axes, by whether axes i (1) and j (2) are divided too */
    int count; int64_t number[MOST_CORNERS], stride_i[MOST_CORNERS], stride_j[MOST_CORNERS]; int8_t sign[MOST_CORNERS];
  } corners[4];
  int atoms, sets; int32_t atom0, set0;
} Net;

typedef struct { /* memory of one search, grown as needed */
  int64_t arcs, nodes;
  int32_t *arc_stamp, *node_stamp; double *cost; int64_t *rise, *fall;
  double *distance; int64_t *from_arc; int32_t *from_node; int8_t *from_way; int8_t *settled;
  int64_t heap_size, heap_room; double *heap_key; int32_t *heap_node;
  int32_t stamp;
} Memory;

static Memory memory;

static int grow(Memory *m, int64_t arcs, int64_t nodes) {
  if (arcs > m->arcs) {
    free(m->arc_stamp); free(m->cost); free(m->rise); free(m->fall);
    m->arc_stamp = calloc(arcs, sizeof *m->arc_stamp); m->cost = malloc(arcs * sizeof *m->cost);
    m->rise = malloc(arcs * sizeof *m->rise); m->fall = malloc(arcs * sizeof *m->fall); m->arcs = arcs;
    if (!m->arc_stamp || !m->cost || !m->rise || !m->fall) { m->arcs = 0; return 0; }
    if (m->node_stamp) memset(m->node_stamp, 0, m->nodes * sizeof *m->node_stamp);
    m->stamp = 0;
  }
  if (nodes > m->nodes) {
    free(m->node_stamp); free(m->distance); free(m->from_arc); free(m->from_node); free(m->from_way); free(m->settled);
    m->node_stamp = calloc(nodes, sizeof *m->node_stamp); m->distance = malloc(nodes * sizeof *m->distance);
    m->from_arc = malloc(nodes * sizeof *m->from_arc); m->from_node = malloc(nodes * sizeof *m->from_node);
    m->from_way = malloc(nodes); m->settled = malloc(nodes); m->nodes = nodes;
    if (!m->node_stamp || !m->distance || !m->from_arc || !m->from_node || !m->from_way || !m->settled) { m->nodes = 0; return 0; }
    if (m->arc_stamp) memset(m->arc_stamp, 0, m->arcs * sizeof *m->arc_stamp);
    m->stamp = 0;
  }
  return 1;
}

static int push(Memory *m, double key, int32_t node) {
  if (m->heap_size == m->heap_room) {
    int64_t room = m->heap_room ? 2 * m->heap_room : 4096;
    double *keys = realloc(m->heap_key, room * sizeof *keys);
    if (keys) m->heap_key = keys;
    int32_t *nodes = realloc(m->heap_node, room * sizeof *nodes);
    if (nodes) m->heap_node = nodes;
    if (!keys || !nodes) return 0;
    m->heap_room = room;
  }
  int64_t k = m->heap_size++;
  while (k > 0) {
    int64_t above = (k - 1) / 2;
    if (m->heap_key[above] <= key) break;
    m->heap_key[k] = m->heap_key[above]; m->heap_node[k] = m->heap_node[above]; k = above;
  }
  m->heap_key[k] = key; m->heap_node[k] = node;
  return 1;
}

static int32_t pop(Memory *m, double *key) {
  *key = m->heap_key[0];
  int32_t node = m->heap_node[0];
  double last = m->heap_key[--m->heap_size];
  int32_t last_node = m->heap_node[m->heap_size];
  int64_t k = 0;
  for (;;) {
    int64_t below = 2 * k + 1;
    if (below >= m->heap_size) break;
    if (below + 1 < m->heap_size && m->heap_key[below + 1] < m->heap_key[below]) below++;
    if (m->heap_key[below] >= last) break;
    m->heap_key[k] = m->heap_key[below]; m->heap_node[k] = m->heap_node[below]; k = below;
  }
  m->heap_key[k] = last; m->heap_node[k] = last_node;
  return node;
}

/* The set of an element of axis i: an atom's own set, or a set itself; -1 where it has none. */
static int32_t element_set(const Net *n, int32_t element) {
  return element < n->atoms ? n->g->own[n->atom0 + element] : element - n->atoms;
}

static int32_t element_hub(const Net *n, int32_t element) {
  return element < n->atoms ? n->g->hub[n->atom0 + element] : n->g->over[n->set0 + element - n->atoms];
}

typedef int (*Corner)(void *, int64_t variable, int sign); /* 0: no more corners are wanted */

static void each_corner(const Net *n, int32_t element, int column, Corner corner, void *with) {
  const Grid *g = n->g;
  int32_t set = element_set(n, element);
  if (set < 0) return;
  int below = n->j < 0 ? 1 : n->carriers[column];
  for (int c = 0; c < below; c++) {
    int32_t other = n->j < 0 ? 0 : n->carrier[column][c];
    int which = (set ? 1 : 0) | (other ? 2 : 0);
    for (int k = 0; k < n->corners[which].count; k++) {
      int64_t number = n->corners[which].number[k] + n->corners[which].stride_i[k] * set + n->corners[which].stride_j[k] * other;
      for (int u = 0; u < g->units; u++) {
        int64_t variable = find(g, u, number);
        if (variable >= 0 && !corner(with, variable, n->corners[which].sign[k])) return;
      }
    }
  }
}

typedef struct { const Table *t; double cost; int64_t rise, fall; int buy; } Weighed;

static int weigh(void *with, int64_t variable, int sign) {
  Weighed *w = with;
  double price = w->t->price[variable];
  if (price > 0 && (!w->buy || isinf(price))) { w->cost = BLOCKED; return 0; }
  w->cost += price + w->t->step;
  int64_t room = w->t->room[variable] + w->t->delta[variable];
  if (sign < 0) { if (room < w->rise) w->rise = room; }
  else if (room < w->fall) w->fall = room;
  return 1;
}

static int64_t arc(const Net *n, Memory *m, int32_t element, int column, int buy) {
  int64_t number = (int64_t)element * n->columns + column;
  if (m->arc_stamp[number] != m->stamp) {
    Weighed w = {n->t, 0.0, ENDLESS, ENDLESS, buy};
    each_corner(n, element, column, weigh, &w);
    m->arc_stamp[number] = m->stamp; m->cost[number] = w.cost; m->rise[number] = w.rise; m->fall[number] = w.fall;
  }
  return number;
}

/* Nodes: the rows of axis i (one a atom, or one ground where there is no axis j), the top row, the columns' hubs. */
static int32_t row_node(const Net *n, int32_t atom) { return n->j < 0 ? 0 : atom; }
static int32_t top_node(const Net *n) { return n->j < 0 ? 0 : n->atoms; }
static int32_t hub_node(const Net *n, int column, int32_t set) {
  return n->atoms + 1 + column * n->sets + set;
}

static void ends(const Net *n, int32_t element, int column, int32_t *from, int32_t *to) {
  int32_t hub = element_hub(n, element);
  *from = element < n->atoms ? row_node(n, element) : hub_node(n, column, element - n->atoms);
  *to = hub < 0 ? top_node(n) : hub_node(n, column, hub);
  if (column == n->total) { int32_t other = *from; *from = *to; *to = other; }
}

typedef struct { const Net *n; Memory *m; int64_t amount, barred; int buy; double reached, limit; int32_t here; int failed; } Walk;

static void relax(Walk *w, int32_t element, int column) {
  const Net *n = w->n; Memory *m = w->m;
  if (element >= n->atoms && n->g->over[n->set0 + element - n->atoms] < 0 && !n->top) return;
  int64_t number = arc(n, m, element, column, w->buy);
  if (number == w->barred || m->cost[number] >= BLOCKED) return;
  int32_t from, to;
  ends(n, element, column, &from, &to);
  int way = from == w->here ? 1 : -1;
  int32_t there = way > 0 ? to : from;
  if ((way > 0 ? m->rise[number] : m->fall[number]) < w->amount) return;
  double distance = w->reached + m->cost[number];
  if (distance >= w->limit) return;
  if (m->node_stamp[there] == m->stamp && m->distance[there] <= distance) return;
  if (m->node_stamp[there] == m->stamp && m->settled[there]) return;
  m->node_stamp[there] = m->stamp; m->settled[there] = 0; m->distance[there] = distance;
  m->from_arc[there] = number; m->from_node[there] = w->here; m->from_way[there] = (int8_t)way;
  if (!push(m, distance, there)) w->failed = 1;
}

static void leave(Walk *w) {
  const Net *n = w->n; const Grid *g = n->g;
  int32_t here = w->here;
  if (n->j < 0 && here == 0) {
    for (int32_t e = 0; e < n->atoms; e++) relax(w, e, 0);
    relax(w, n->atoms, 0);
    return;
  }
  if (here < n->atoms) {
    for (int c = 0; c < n->columns; c++) relax(w, here, c);
    return;
  }
  if (here == n->atoms) {
    for (int c = 0; c < n->columns; c++) relax(w, n->atoms, c);
    return;
  }
  int column = (here - n->atoms - 1) / n->sets;
  int32_t set = (here - n->atoms - 1) % n->sets;
  relax(w, n->atoms + set, column);
  int32_t at = n->set0 + n->i + set;
  for (int32_t k = g->child_from[at]; k < g->child_from[at + 1]; k++) relax(w, g->child[k], column);
}

typedef struct { int32_t *variable; int8_t *sign; int64_t count, most; int way; } Writing;

static int put(void *with, int64_t variable, int sign) {
  Writing *w = with;
  if (w->count < w->most) { w->variable[w->count] = (int32_t)variable; w->sign[w->count] = (int8_t)(sign * w->way); }
  w->count++;
  return 1;
}

/* The cheapest circuit through an arc that moves `amount`; its corners, or -1. *cost is its limit, then its cost. */
static int64_t route(Net *n, int32_t element, int column, int sense, int64_t amount, int buy, double *cost,
                     int32_t *variable, int8_t *sign, int64_t most) {
  Memory *m = &memory;
  int64_t arcs = (int64_t)(n->atoms + n->sets) * n->columns, nodes = n->atoms + 1 + (int64_t)n->columns * n->sets;
  if (arcs > 8000000 || !grow(m, arcs, nodes)) return -1;
  if (++m->stamp == INT32_MAX) {
    memset(m->arc_stamp, 0, m->arcs * sizeof *m->arc_stamp); memset(m->node_stamp, 0, m->nodes * sizeof *m->node_stamp);
    m->stamp = 1;
  }
  m->heap_size = 0;
  int64_t own = arc(n, m, element, column, buy);
  if (m->cost[own] >= *cost || (sense > 0 ? m->rise[own] : m->fall[own]) < amount) return -1;
  int32_t from, to;
  ends(n, element, column, &from, &to);
  int32_t start = sense > 0 ? to : from, goal = sense > 0 ? from : to;
  Walk w = {n, m, amount, own, buy, m->cost[own], *cost, start, 0};
  m->node_stamp[start] = m->stamp; m->settled[start] = 0; m->distance[start] = m->cost[own]; m->from_node[start] = -1;
  if (!push(m, m->cost[own], start)) return -1;
  while (m->heap_size && !w.failed) {
    w.here = pop(m, &w.reached);
    if (m->settled[w.here] || w.reached > m->distance[w.here]) continue;
    m->settled[w.here] = 1;
    if (w.here == goal) break;
    leave(&w);
  }
  if (w.failed || m->node_stamp[goal] != m->stamp || !m->settled[goal] || start == goal) return -1;
  Writing out = {variable, sign, 0, most, sense};
  each_corner(n, element, column, put, &out);
  for (int32_t node = goal; node != start; node = m->from_node[node]) {
    out.way = m->from_way[node];
    each_corner(n, (int32_t)(m->from_arc[node] / n->columns), (int)(m->from_arc[node] % n->columns), put, &out);
  }
  if (out.count > most) return -1;
  *cost = m->distance[goal];
  return out.count;
}

/* Sets of an axis on the way from a set down to the atom with most in it. */
static int carry(const Grid *g, int axis, int32_t set, int rank, int32_t *sets) {
  int32_t best = -1, a0 = g->atom_from[axis];
  int seen = 0;
  for (int pass = 0; pass <= rank; pass++) {
    int32_t next = -1;
    for (int32_t atom = 0; atom < g->atom_from[axis + 1] - a0; atom++) {
      if (!holds(g, axis, atom, set)) continue;
      if (best >= 0 && (g->weight[a0 + atom] > g->weight[a0 + best] || (g->weight[a0 + atom] == g->weight[a0 + best] && atom <= best))) continue;
      if (next < 0 || g->weight[a0 + atom] > g->weight[a0 + next]) next = atom;
    }
    if (next < 0) break;
    best = next;
    seen++;
  }
  if (best < 0 || !seen) return 0;
  int count = 0;
  int32_t a = a0 + best;
  for (int32_t k = g->chain_from[a]; k < g->chain_from[a + 1]; k++) {
    if (count == 8) return 0;
    sets[count++] = g->chain[k];
    if (g->chain[k] == set) break;
  }
  return count;
}

typedef struct { double score; int p, q; } Option;

static int worse(const void *a, const void *b) {
  double x = ((const Option *)a)->score, y = ((const Option *)b)->score;
  return x < y ? -1 : x > y;
}

#define MOST_OPTIONS 4096
static Option options[MOST_AXES][MOST_OPTIONS];
static int option_count[MOST_AXES];

static uint64_t mixed(uint64_t x) {
  x ^= x >> 30; x *= 0xbf58476d1ce4e5b9ULL; x ^= x >> 27; x *= 0x94d049bb133111ebULL; return x ^ (x >> 31);
}

/* Ways to move (or add) people on an axis, the most promising first by the corner next to the cell.
   beside: the other axes that this corner divides. */
static void list_options(const Grid *g, const Table *t, int64_t cell, int beside, int axis, int moving, int sense, int64_t amount, int buy, uint64_t seed) {
  const int32_t *box = g->box + cell * g->axes;
  int32_t own = box[axis], a0 = g->atom_from[axis], atoms = g->atom_from[axis + 1] - a0;
  int count = 0, carriers = 0;
  int32_t form = g->form[beside | 1 << axis];
  int64_t number = form < 0 ? 0 : g->origin[form], stride = form < 0 ? 0 : g->stride[(int64_t)form * g->axes + axis];
  if (form >= 0) for (int a = 0; a < g->axes; a++) if (beside >> a & 1) number += g->stride[(int64_t)form * g->axes + a] * box[a];
  for (int32_t p = 0; p < atoms && count < MOST_OPTIONS; p++) {
    if (!holds(g, axis, p, own)) continue;
    if (moving && ++carriers > 4) break;
    for (int32_t q = moving ? 0 : -1; q < (moving ? atoms : 0) && count < MOST_OPTIONS; q++) {
      if (moving && holds(g, axis, q, own)) continue;
      int32_t near = g->chain[g->chain_from[a0 + (moving ? q : p)]];
      if (moving && holds(g, axis, p, near)) near = -1;
      double price = 0;
      int64_t room = ENDLESS;
      if (near >= 0 && form >= 0)
        for (int u = 0; u < g->units; u++) {
          int64_t v = find(g, u, number + stride * near);
          if (v < 0) continue;
          price += t->price[v];
          if (t->room[v] + t->delta[v] < room) room = t->room[v] + t->delta[v];
        }
      if (isinf(price) || (price > 0 && !buy)) continue;
      if (moving ? sense > 0 && room < amount : sense < 0 && room < amount) continue; /* that corner would fall */
      uint64_t r = mixed(seed ^ ((uint64_t)cell << 20) ^ ((uint64_t)axis << 16) ^ (uint64_t)(p * 4099 + q + 1));
      double far = moving && g->hub[a0 + p] != g->hub[a0 + q] ? 0.5 : 0;
      options[axis][count++] = (Option){price + far - 0.02 * (double)(room < 20 ? room : 20) + 0.3 * (double)(r >> 11) / 9007199254740992.0, p, q};
    }
  }
  qsort(options[axis], count, sizeof(Option), worse);
  option_count[axis] = count;
}

static Net net;

static int set_corners(const Grid *g, const int *axes, const int *chosen, int count) {
  static int mask[MOST_CORNERS], masks[MOST_CORNERS]; /* which of the axes a corner divides: most are in no table */
  static int32_t sets[MOST_CORNERS][MOST_AXES], longer[MOST_CORNERS][MOST_AXES];
  static int8_t sign[MOST_CORNERS], signs[MOST_CORNERS];
  int corners = 1;
  sign[0] = 1; mask[0] = 0;
  for (int a = 0; a < count; a++) {
    Way way;
    Option *o = &options[axes[a]][chosen[a]];
    if (!make_way(g, axes[a], o->p, o->q, &way)) return 0;
    int after = 0;
    for (int w = 0; w < way.count; w++)
      for (int k = 0; k < corners; k++) {
        int divided = mask[k] | (way.set[w] ? 1 << axes[a] : 0);
        if (!g->within[divided]) continue;
        if (after == MOST_CORNERS) return 0;
        memcpy(longer[after], sets[k], a * sizeof **sets);
        longer[after][a] = way.set[w];
        signs[after] = (int8_t)(sign[k] * way.sign[w]); masks[after++] = divided;
      }
    memcpy(sets, longer, after * sizeof *sets); memcpy(sign, signs, after); memcpy(mask, masks, after * sizeof *mask);
    corners = after;
  }
  for (int which = 0; which < 4; which++) {
    int divided = (which & 1 ? 1 << net.i : 0) | (which & 2 && net.j >= 0 ? 1 << net.j : 0), kept = 0;
    for (int k = 0; k < corners; k++) {
      int32_t form = g->form[divided | mask[k]];
      if (form < 0) continue;
      const int64_t *stride = g->stride + (int64_t)form * g->axes;
      int64_t number = g->origin[form];
      for (int a = 0; a < count; a++) if (sets[k][a]) number += stride[axes[a]] * sets[k][a];
      net.corners[which].number[kept] = number; net.corners[which].sign[kept] = sign[k];
      net.corners[which].stride_i[kept] = stride[net.i];
      net.corners[which].stride_j[kept++] = net.j < 0 ? 0 : stride[net.j];
    }
    net.corners[which].count = kept;
  }
  return 1;
}

typedef struct {
  const Grid *g; const Table *t;
  int64_t cell, amount, most;
  int sense, buy, budget;
  uint64_t seed;
  double limit; /* the cost of the best circuit so far */
  int64_t found;
  int32_t *variable, *spare; int8_t *sign, *spare_sign;
} Search;

/* The networks on axes i and j (-1: none), with the most promising ways on the others. */
static void on_axes(Search *s, int i, int j, int moving, int active, int each) {
  const Grid *g = s->g;
  const int32_t *box = g->box + s->cell * g->axes;
  net.g = g; net.t = s->t; net.i = i; net.j = j;
  net.atom0 = g->atom_from[i]; net.atoms = g->atom_from[i + 1] - net.atom0;
  net.set0 = g->set_from[i]; net.sets = g->set_from[i + 1] - net.set0;
  net.total = -1; net.columns = 0;
  int column = 0, moved = 0, others[MOST_AXES], count = 0;
  for (int a = 0; a < g->axes; a++)
    if (active >> a & 1 && a != i && a != j) { others[count++] = a; if (moving >> a & 1) moved |= 1 << a; }
  net.top = 1; /* the whole of axis i or j may change only where all tables that would see it are looked at */
  for (int p = 0; p < g->patterns; p++) if ((g->pattern[p] & moved) == moved && (g->pattern[p] & ~active)) net.top = 0;
  if (j < 0) net.columns = 1;
  else {
    int32_t total = g->over[g->set_from[j] + box[j]];
    if (total < 0) return;
    int32_t at = g->set_from[j] + j + total, atoms_j = g->atom_from[j + 1] - g->atom_from[j];
    for (int32_t c = g->child_from[at]; c < g->child_from[at + 1] && net.columns < MOST_COLUMNS - 1; c++) {
      int32_t element = g->child[c], set = element < atoms_j ? g->own[g->atom_from[j] + element] : element - atoms_j;
      net.carriers[net.columns] = set >= 0 ? carry(g, j, set, (int)(mixed(s->seed + 7) % 2), net.carrier[net.columns]) : 0;
      if (set >= 0 && !net.carriers[net.columns]) continue;
      if (set == box[j]) column = net.columns;
      net.columns++;
    }
    if (g->over[g->set_from[j] + total] < 0 && net.top) {
      net.total = net.columns; net.carrier[net.columns][0] = total; net.carriers[net.columns++] = 1;
    }
  }
  int32_t element = net.atoms + box[i];
  for (int32_t a = 0; a < net.atoms; a++) if (g->own[net.atom0 + a] == box[i]) element = a;
  int take[MOST_AXES], chosen[MOST_AXES] = {0};
  double share = count ? pow((double)each, 1.0 / count) : 1;
  for (int a = 0; a < count; a++) {
    take[a] = (int)(share + 0.999);
    if (take[a] > option_count[others[a]]) take[a] = option_count[others[a]];
    if (!take[a]) return;
  }
  for (int tried = 0; tried < 2 * each; tried++) {
    if (set_corners(g, others, chosen, count)) {
      double now = s->limit;
      int64_t corners = route(&net, element, column, s->sense, s->amount, s->buy, &now, s->spare, s->spare_sign, s->most);
      if (corners > 0) {
        s->limit = now; s->found = corners;
        memcpy(s->variable, s->spare, corners * sizeof *s->variable); memcpy(s->sign, s->spare_sign, corners);
      }
    }
    int a = 0;
    while (a < count && ++chosen[a] == take[a]) chosen[a++] = 0;
    if (a == count) return;
  }
}

/* Circuits that move people on the axes of `moving` and add them on the others that the cell divides. */
static void with_moving(Search *s, int moving) {
  const Grid *g = s->g;
  const int32_t *box = g->box + s->cell * g->axes;
  int active = moving, k = 0, axes[MOST_AXES];
  for (int p = 0; p < g->patterns; p++) if ((g->pattern[p] & moving) == moving) active |= g->pattern[p];
  int whole = 0; /* what is added is added to the cell that only `moving` divides */
  for (int a = 0; a < g->axes; a++) if (box[a]) whole |= 1 << a;
  for (int a = 0; a < g->axes; a++) {
    if (box[a] && !(active >> a & 1)) return;
    if (moving >> a & 1) list_options(g, s->t, s->cell, whole & ~(1 << a), a, 1, s->sense, s->amount, s->buy, s->seed);
    else if (active >> a & 1) list_options(g, s->t, s->cell, moving & whole, a, 0, s->sense, s->amount, s->buy, s->seed);
    if (moving >> a & 1 && g->tree[a]) axes[k++] = a;
  }
  int pairs_i[MOST_AXES * MOST_AXES], pairs_j[MOST_AXES * MOST_AXES], pairs = 0;
  for (int x = 0; x < k; x++)
    for (int y = 0; y < k; y++) {
      int i = axes[x], j = axes[y], si = g->set_from[i + 1] - g->set_from[i], sj = g->set_from[j + 1] - g->set_from[j];
      if (x == y || si < sj || (si == sj && i > j)) continue;
      pairs_i[pairs] = i; pairs_j[pairs++] = j;
    }
  if (!pairs) for (int x = 0; x < k; x++) { pairs_i[pairs] = axes[x]; pairs_j[pairs++] = -1; }
  if (!pairs) return;
  int each = s->budget / pairs > 0 ? s->budget / pairs : 1;
  int turn = (int)(mixed(s->seed ^ (uint64_t)s->cell) % (uint64_t)pairs);
  for (int x = 0; x < pairs; x++) {
    on_axes(s, pairs_i[(x + turn) % pairs], pairs_j[(x + turn) % pairs], moving, active, each);
    if (s->found > 0 && s->limit < FREE) return; /* nothing to buy: good enough */
  }
}

static int bits(int mask) { int n = 0; for (; mask; mask &= mask - 1) n++; return n; }

/* The cheapest circuit seen of those that add people on just so many of the axes that the cell divides. */
static void best_circuit(Search *s, int mask, int adding) {
  s->found = -1;
  for (int moving = mask; moving; moving = (moving - 1) & mask)
    if (bits(mask) - bits(moving) == adding) {
      with_moving(s, moving);
      if (s->found > 0 && s->limit < FREE) return;
    }
}

/* Moves a cell by up to `want` in one direction, by one circuit after another.

   variable, step: [most] what changes; *count of them; *spent: prices of what was opened (0 in `price` from then on;
   those are listed first in `opened`, *opens of them). hope: what a unit of change that is still missing is taken to
   cost. Returns by how much the cell moves; delta is all 0 again. */
EXPORT int64_t circuits_move(const Grid *g, const int64_t *room, double *price, int64_t *delta, double step, int64_t cell,
                             int32_t sense, int64_t want, int32_t buy, int32_t budget, int32_t deep, int32_t rounds, double hope, uint64_t seed,
                             int32_t *variable, int64_t *change, int64_t *count, int32_t *opened, double *paid, int64_t *opens,
                             double *spent, int32_t *work_variable, int8_t *work_sign, int64_t most) {
  Table t = {room, price, delta, step};
  int32_t *best_variable = work_variable, *other_variable = work_variable + most, *spare = work_variable + 2 * most;
  int8_t *best_sign = work_sign, *other_sign = work_sign + most, *spare_sign = work_sign + 2 * most;
  int64_t done = 0;
  int mask = 0;
  for (int a = 0; a < g->axes; a++) if (g->box[cell * g->axes + a]) mask |= 1 << a;
  *count = 0; *opens = 0; *spent = 0;
  for (int round = 0; round < rounds && done < want; round++) {
    int64_t left = want - done, best_corners = -1, best_amount = 0;
    double best_score = BLOCKED;
    for (int adding = 0; adding <= deep && adding < bits(mask) && best_corners <= 0; adding++)
    for (int64_t amount = left; amount > 0; amount = amount > 1 ? (amount > 3 ? amount / 3 : 1) : 0) {
      Search s = {g, &t, cell, amount, most, sense, buy, budget, seed + (uint64_t)round, best_score - hope * (double)(left - amount),
                  -1, other_variable, spare, other_sign, spare_sign};
      if (s.limit <= 0) continue;
      best_circuit(&s, mask, adding);
      if (s.found <= 0) continue;
      best_score = s.limit + hope * (double)(left - amount);
      best_corners = s.found; best_amount = amount;
      memcpy(best_variable, other_variable, s.found * sizeof *best_variable); memcpy(best_sign, other_sign, s.found);
      if (s.limit < FREE) break;
    }
    if (best_corners <= 0) break;
    if (*count + best_corners > most || *opens + best_corners > most) break;
    for (int64_t k = 0; k < best_corners; k++) {
      int32_t v = best_variable[k];
      int known = 0;
      if (delta[v]) known = 1;
      else for (int64_t x = 0; x < *count; x++) if (variable[x] == v) { known = 1; break; }
      if (!known) variable[(*count)++] = v;
      delta[v] += best_sign[k] * best_amount;
      if (price[v] > 0) { opened[*opens] = v; paid[(*opens)++] = price[v]; *spent += price[v]; price[v] = 0; }
    }
    done += best_amount;
  }
  int64_t kept = 0;
  for (int64_t x = 0; x < *count; x++) {
    int32_t v = variable[x];
    int64_t d = delta[v];
    delta[v] = 0;
    if (d) { variable[kept] = v; change[kept++] = d; }
  }
  *count = kept;
  return done;
}

/* Of the arguments above: whoever loads this compares it with what it was written for. */
int circuits_version(void) { return 2; }
