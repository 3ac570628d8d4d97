import type { Knex } from 'knex';

/** In the order in which they can be created. Foreign keys only inside a domain, and none that cascades. */
const TABLES: Record<string, string> = {
  members: `
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    username VARCHAR(40) NOT NULL UNIQUE,
    name VARCHAR(100) NOT NULL,
    bio TEXT NULL,
    password_hash VARCHAR(200) NULL,
    email VARCHAR(254) NULL,
    status ENUM('active','suspended') NOT NULL DEFAULT 'active',
    joined_at DATETIME NOT NULL,
    last_seen_at TIMESTAMP(6) NULL DEFAULT NULL`,
  posts: `
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    author_id BIGINT UNSIGNED NOT NULL,
    publication_id INT UNSIGNED NULL,
    slug VARCHAR(120) NOT NULL UNIQUE,
    title VARCHAR(200) NOT NULL,
    body JSON NOT NULL,
    reading_minutes DECIMAL(6,2) NOT NULL,
    status ENUM('draft','published','deleted') NOT NULL DEFAULT 'draft',
    clap_count INT UNSIGNED NOT NULL DEFAULT 0,
    published_at DATETIME NULL,
    created_at DATETIME NOT NULL,
    updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    KEY newest (status, published_at),
    KEY of_author (author_id, status, published_at),
    KEY of_publication (publication_id, status, published_at),
    KEY edited (updated_at)`,
  post_tags: `
    post_id INT UNSIGNED NOT NULL,
    tag VARCHAR(40) NOT NULL,
    PRIMARY KEY (post_id, tag),
    KEY posts_of_tag (tag),
    FOREIGN KEY (post_id) REFERENCES posts (id)`,
  claps: `
    member_id BIGINT UNSIGNED NOT NULL,
    post_id INT UNSIGNED NOT NULL,
    count SMALLINT UNSIGNED NOT NULL,
    updated_at DATETIME(3) NOT NULL,
    PRIMARY KEY (member_id, post_id),
    KEY of_post (post_id, count)`,
  publications: `
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    slug VARCHAR(120) NOT NULL UNIQUE,
    name VARCHAR(100) NOT NULL,
    description TEXT NULL,
    owner_id BIGINT UNSIGNED NOT NULL,
    settings JSON NOT NULL`,
  publication_editors: `
    publication_id INT UNSIGNED NOT NULL,
    member_id BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (publication_id, member_id),
    FOREIGN KEY (publication_id) REFERENCES publications (id)`,
  submissions: `
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    publication_id INT UNSIGNED NOT NULL,
    post_id INT UNSIGNED NOT NULL,
    author_id BIGINT UNSIGNED NOT NULL,
    status ENUM('pending','accepted','refused') NOT NULL DEFAULT 'pending',
    submitted_at DATETIME NOT NULL,
    decided_at DATETIME NULL,
    KEY of_post (post_id),
    FOREIGN KEY (publication_id) REFERENCES publications (id)`,
  sessions: `
    token CHAR(43) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
    member_id BIGINT UNSIGNED NOT NULL,
    expires_at DATETIME NOT NULL,
    KEY expired (expires_at)`,
  reading_lists: `
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    member_id BIGINT UNSIGNED NOT NULL,
    name VARCHAR(100) NOT NULL,
    KEY of_member (member_id)`,
  reading_list_items: `
    list_id INT UNSIGNED NOT NULL,
    post_id INT UNSIGNED NOT NULL,
    position INT UNSIGNED NOT NULL,
    added_at DATETIME NOT NULL,
    PRIMARY KEY (list_id, post_id),
    FOREIGN KEY (list_id) REFERENCES reading_lists (id)`,
};

/** Creates what is missing. */
export async function createSchema(db: Knex): Promise<void> {
  for (const [table, columns] of Object.entries(TABLES)) {
    await db.raw(`CREATE TABLE IF NOT EXISTS ${table} (${columns}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }
}

export async function dropSchema(db: Knex): Promise<void> {
  await db.raw(`DROP TABLE IF EXISTS ${Object.keys(TABLES).reverse().join(', ')}`);
}
