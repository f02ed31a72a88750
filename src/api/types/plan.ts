/** What a destructive command would do to one object: an item of a `Plan`. */
export interface PlanItem {
  /** The last two are the client's own: a user of a registry, a manifest list in local storage. */
  Kind:
    | 'container'
    | 'image'
    | 'name'
    | 'volume'
    | 'network'
    | 'download'
    | 'layers'
    | 'user'
    | 'manifest list';
  /** Empty where the object has none, or does not exist. */
  ID: string;
  /** For people: a container's name without the slash, an image's first name, a volume's name. */
  Name: string;
  /** Bytes of disk that come free with it. */
  Bytes: number;
  /** Why it would stay: the words with which the command itself would refuse. Absent for what goes. */
  Reason?: string;
}

/** The document of `GET /wharf/plan/…`, which is Wharf's own: what the command would take away, in its order. */
export interface Plan {
  Items: PlanItem[];
  /** Bytes of disk that come free in all. */
  Bytes: number;
}
