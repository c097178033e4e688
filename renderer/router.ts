/** @file Addresses of views, after `#`, so that one page serves all of them over `app://` and HTTP. */
import { createRouter, createWebHashHistory } from 'vue-router'
import { ROUTES } from './navigation.ts'

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [...ROUTES, { path: '/:lost(.*)*', redirect: { name: 'start' } }],
})

router.afterEach(({ meta }) => {
  const title = typeof meta['title'] === 'string' ? meta['title'] : ''
  document.title = title ? `${title} · Touchstone` : 'Touchstone'
})
