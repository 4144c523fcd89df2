import type { Rule } from '../core/rule.ts'

const folded = { view: 'folded' } as const
// Scripts whose letters the folded view reads as Latin look-alikes, or that have no case, are read as they stand.
const plain = { bounds: 'none' } as const

/** Both cases of each letter of a script other than Latin, classes aside; the pattern language folds ASCII only. */
const anyCase = (pattern: string): string =>
  pattern.replace(/\[[^\]]*\]|\p{Lowercase}/gu, (part) =>
    part.startsWith('[') ? part : `[${part}${part.toUpperCase()}]`,
  )

/** "Ignore all previous instructions" and its kin, in the languages that attacks come in most; Latin letters without marks, as folded. */
const overrides = {
  'override-german': {
    ...folded,
    pattern:
      '(?:ignorier(?:e|en|t|st)?|vergiss|vergessen sie|missachte|missachten sie|verwirf|uberspringe|umgehe|losche|hor auf|befolge nicht|halte dich nicht an|beachte nicht|setz dich hinweg uber)(?: (?:bitte|alle|alles|die|den|der|das|samtliche|deine|ihre|jegliche|diese|vorherigen|vorigen|bisherigen|obigen|fruheren|ursprunglichen|vorangegangenen|vorhergehenden|zu|was|dir|system|nicht|mehr)){1,} (?:anweisung(?:en)?|instruktionen|regeln|vorgaben|befehle|richtlinien|systemanweisung(?:en)?|system ?prompts?|anordnungen|einschrankungen|systemregeln|prompts?|gesagt wurde|befolgen|folgen)',
    score: 0.9,
  },
  'override-french': {
    ...folded,
    pattern:
      '(?:ignore[rsz]?|oublie[rsz]?|neglige[rsz]?|ne tiens pas compte|ne tenez pas compte|ne suis pas|ne suivez pas|ne respecte pas|abandonne[rz]?|contourne[rz]?|arrete de suivre|cesse de suivre|saute)(?: (?:s il te plait|s il vous plait|toutes?|tous|tout|les|la|le|des|de|tes|vos|ces|ce|qu on|que|t a|ton|votre|precedentes?|anterieures?|initiales?)){1,} (?:instructions?|consignes?|regles?|directives?|ordres|prompt|restrictions|dit avant|t a dit|systeme)',
    score: 0.9,
  },
  'override-spanish': {
    ...folded,
    pattern:
      '(?:ignora(?:r|d)?|ignore|olvida(?:r|d|te)?|olvide|descarta|haz caso omiso de|no hagas caso a|no sigas|omite|saltate|desobedece|deja de seguir|anula)(?: (?:por favor|todas?|todos?|todo|las|los|la|el|lo|de|tus|sus|estas|que|te|previas|anteriores|iniciales)){1,} (?:instrucciones|instruccion|reglas|ordenes|directrices|normas|indicaciones|restricciones|prompt|dijeron antes|dijeron|ensenaron|sistema)',
    score: 0.9,
  },
  'override-portuguese': {
    ...folded,
    pattern:
      '(?:ignore|ignora(?:r)?|esque[cç]a|esquece|desconsidere|desconsidera|desobede[cç]a|nao siga|descarte|pule|pare de seguir|deixe de seguir|anule)(?: (?:por favor|todas?|todos?|tudo|as|os|a|o|de|suas|tuas|estas|essas|que|te|lhe|foi|previas|anteriores|iniciais)){1,} (?:instru[cç]oes|instru[cç]ao|regras|ordens|diretrizes|normas|orienta[cç]oes|restri[cç]oes|prompt|disseram antes|disseram|dito|sistema)',
    score: 0.9,
  },
  'override-italian': {
    ...folded,
    pattern:
      '(?:ignora(?:re|te)?|dimentica(?:re|te|ti)?|trascura|non seguire|non rispettare|tralascia|salta|scarta|smetti di seguire|disattendi|annulla)(?: (?:per favore|tutte|tutti|tutto|le|gli|i|il|la|di|tue|quello|cio|che|ti|precedenti|iniziali|qualsiasi)){1,} (?:istruzioni|istruzione|regole|direttive|indicazioni|ordini|norme|prompt|restrizioni|stato detto|hanno detto|sistema)',
    score: 0.9,
  },
  'override-dutch': {
    ...folded,
    pattern:
      '(?:negeer|vergeet|sla|omzeil|volg niet|hou je niet aan|houd je niet aan|stop met het volgen van|stop met|verwerp)(?: (?:alsjeblieft|alle|alles|de|het|al|je|uw|jouw|eerdere|vorige|voorgaande|bovenstaande|oorspronkelijke|initiele|wat|volgen|van)){1,} (?:instructies?|regels|opdrachten|aanwijzingen|richtlijnen|systeeminstructies|systeemregels|prompts?|beperkingen|eerder is verteld|is verteld|verteld)',
    score: 0.9,
  },
  'override-polish': {
    ...folded,
    pattern:
      '(?:z?ignoruj(?:cie)?|zapomnij|pomi[nń]|odrzu[cć]|nie przestrzegaj|nie stosuj sie do|porzu[cć]|obejdz|przesta[nń] przestrzega[cć])(?: (?:prosze|wszystkie|wszystkich|wszystko|o|te|tych|swoje|swoich|twoje|poprzednie|poprzednich|powy[zż]sze|powy[zż]szych|wczesniejsze|wczesniejszych|poczatkowe|co)){1,6} (?:instrukcje|instrukcji|polecenia|polece[nń]|zasady|zasad|regu[lł]y|regu[lł]|wytyczne|wytycznych|prompt|ograniczenia|ci powiedziano|powiedziano)',
    score: 0.9,
  },
  'override-turkish': {
    ...folded,
    pattern:
      '(?:onceki|yukar[ıi]daki|ilk|ba[sş]lang[ıi][cç]taki|mevcut|t[uü]m|sistem|daha once|once)(?: [a-zıçşğöü]{2,14}){0,3} (?:talimat|kural|komut|yonerge|direktif|soylenen|soylendi)[a-zıçşğöü]{0,14}(?: [a-zıçşğöü]{1,12}){0,2} (?:yok say|unut|gormezden gel|dikkate alma|uyma|takip etme|atla|bo[sş] ver|g[oö]z ard[ıi] et|iptal)',
    score: 0.9,
  },
  'override-indonesian': {
    ...folded,
    pattern:
      '(?:abaikan|lupakan|lewati|jangan ikuti|jangan patuhi|berhenti mengikuti|langgar)(?: (?:semua|segala|seluruh|tolong|apa|yang|pedoman|petunjuk|aturan|instruksi|perintah)){0,} (?:instruksi|perintah|aturan|petunjuk|pedoman|arahan|prompt|dikatakan|diberitahukan)(?: [a-z]{2,10}){0,2} (?:sebelumnya|di atas|awal|sistem|terdahulu|tadi|mu|anda)',
    score: 0.9,
  },
  'override-vietnamese': {
    pattern: anyCase(
      '(?:bỏ qua|quên|đừng tuân theo|không tuân theo|lờ đi|ngừng tuân theo|phớt lờ)(?: (?:mọi|tất cả|các|những|hết|toàn bộ|điều|gì|bạn|được)){0,} (?:hướng dẫn|chỉ dẫn|quy tắc|lệnh|chỉ thị|quy định|điều)',
    ),
    ...plain,
    score: 0.85,
  },
  'override-russian': {
    ...plain,
    pattern: anyCase(
      '(?:про|за)?(?:игнориру|игнорир|забуд|забыт|отмени|отброс|пропусти|не обращай внимания на|не соблюдай|не следуй|перестань следовать|перестань соблюдать|нарушь)[а-яёА-ЯЁ]{0,4} (?:(?:пожалуйста|все|всё|всех|всех|всем|эти|свои|твои|любые|предыдущ[а-яёА-ЯЁ]{2,3}|прежни[а-яёА-ЯЁ]{1,2}|прошл[а-яёА-ЯЁ]{2,3}|изначальн[а-яёА-ЯЁ]{2,3}|начальн[а-яёА-ЯЁ]{2,3}|системн[а-яёА-ЯЁ]{2,3}|о|про|выше|что),? ){0,}(?:инструкци[а-яёА-ЯЁ]{1,3}|указани[а-яёА-ЯЁ]{1,3}|правил[а-яёА-ЯЁ]{0,3}|команд[а-яёА-ЯЁ]{0,3}|директив[а-яёА-ЯЁ]{0,3}|ограничени[а-яёА-ЯЁ]{0,3}|промпт[а-яёА-ЯЁ]{0,3}|тебе говорили|вам говорили|говорили|сказали)',
    ),
    score: 0.9,
  },
  'override-chinese': {
    ...plain,
    pattern:
      '(?:忽略|无视|忘记|忘掉|忽视|无需遵守|不要遵守|不要理会|不用理会|不必理会|停止遵守|跳过|丢弃|抛弃|放弃|绕过|忽略掉|無視|忘記|不要遵循|停止遵循)[^。！？\\n]{0,10}(?:指令|指示|规则|規則|提示|设定|設定|限制|要求|约束|约定|命令|提示词|内容|說明|说明|对话)',
    score: 0.85,
  },
  'void-chinese': {
    ...plain,
    pattern:
      '(?:之前|先前|以前|原来|最初|上面|以上|此前)[^。！？\\n]{0,8}(?:指令|指示|规则|設定|设定|限制|要求|提示词|命令)[^。！？\\n]{0,6}(?:作废|取消|无效|失效|不再)',
    score: 0.85,
  },
  'override-japanese': {
    ...plain,
    pattern:
      '(?:これまで|以前|上記|上の|前の|今まで|すべて|全て|システム|最初|元の|ここまで|先ほど|あなたの)[^。！？\\n]{0,7}(?:指示|命令|ルール|規則|プロンプト|設定|制約|制限|指令|言われたこと)[^。！？\\n]{0,5}(?:無視|忘れ|従わ|守らな|破棄|取り消|飛ばし|無効|スキップ|破って)',
    score: 0.85,
  },
  'override-korean': {
    ...plain,
    pattern:
      '(?:이전|위의|앞의|앞선|모든|기존|지금까지|시스템|처음|초기|너의)[^.!?\\n]{0,8}(?:지시|명령|규칙|지침|프롬프트|설정|제한|말)[^.!?\\n]{0,4}(?:무시|잊어|잊고|따르지|지키지|취소|건너뛰|폐기)',
    score: 0.85,
  },
  'override-arabic': {
    ...plain,
    pattern:
      '(?:تجاهل|انس|انسى|إنس|تخطى|تخط|لا تتبع|لا تلتزم ب|لا تتقيد ب|توقف عن اتباع|توقف عن الالتزام ب|أهمل|اهمل|تجاوز)[^.!؟\\n]{0,16}(?:التعليمات|تعليمات|تعليماتك|القواعد|الأوامر|أوامر|الإرشادات|التوجيهات|القيود|توجيهاتك|قيل لك)',
    score: 0.85,
  },
  'override-hindi': {
    ...plain,
    pattern:
      '(?:पिछले|पहले|पूर्व|ऊपर|सभी|शुरुआती|सिस्टम|अपने)[^।!?\\n]{0,12}(?:निर्देश|नियम|आदेश|प्रॉम्प्ट|बताया)[^।!?\\n]{0,6}(?:अनदेखा|नज़रअंदाज़|नजरअंदाज|भूल|पालन मत|पालन न|रद्द|अनसुना|छोड़)',
    score: 0.85,
  },
} as const satisfies Record<string, Rule>

/** Requests for the system prompt. */
const extractions = {
  'reveal-prompt-latin': {
    ...folded,
    pattern:
      '(?:zeig(?:e|en)?|gib|nenne?|verrate|wiederhole|montre|affiche|revele|donne|repete|muestra(?:me)?|revela(?:me)?|imprime|dime|repite|mostre|mostra(?:mi)?|revele|exiba|repita|rivela|stampa|ripeti|toon|laat|geef|onthul|herhaal|poka[zż]|ujawnij|wypisz|powtorz|goster|yazd[ıi]r|tampilkan|tunjukkan|ungkapkan)(?: (?:mir|bitte|moi|me|mi|mij|zien|deinen?|deine|den|dein|ton|tes|tu|tus|il|tuo|tue|le|la|el|lo|de|o|seu|suas|je|jouw|swoj|swoje|tw[oó]j|os|as|bana|saya)){0,4} (?:system ?prompts?|systemanweisung(?:en)?|prompt(?: del?| di| do)? s[iy]st[ea]m[aey]?|prompt systemowy|systeemprompt|systeeminstructies|instructions (?:systeme|initiales)|instrucciones (?:del sistema|iniciales)|instru[cç]oes (?:do sistema|iniciais)|istruzioni (?:di sistema|iniziali)|instrukcje systemowe|sistem (?:promptu|komut|istem)[a-zıiuü]{0,5}|prompt sistem)',
    score: 0.85,
  },
  'reveal-prompt-russian': {
    ...plain,
    pattern: anyCase(
      '(?:покажи|выведи|раскрой|повтори|напечатай|напиши|назови|скажи)[а-яёА-ЯЁ]{0,3}(?: (?:мне|свой|свои|твой|твои|системный|системные|начальные|исходные|весь)){0,} (?:системн[а-яёА-ЯЁ]{2,3} )?(?:промпт|системный запрос|инструкции|системное сообщение)',
    ),
    score: 0.8,
  },
  'reveal-prompt-other': {
    ...plain,
    pattern:
      '(?:(?:输出|显示|告诉我|透露|展示|重复|打印|泄露|說出|说出|顯示)[^。！？\\n]{0,8}(?:系统提示|系統提示|提示词|初始指令|系统指令|系统消息)|(?:システムプロンプト|初期指示|システムメッセージ)[^。！？\\n]{0,8}(?:表示|教え|見せ|出力|公開|繰り返)|시스템 ?프롬프트[^.!?\\n]{0,8}(?:출력|보여|알려|공개|말해)|(?:اعرض|أظهر|اكشف|اطبع|أخبرني|كرر)[^.!؟\\n]{0,12}(?:موجه النظام|تعليمات النظام|تعليماتك|الموجه)|(?:सिस्टम प्रॉम्प्ट|सिस्टम निर्देश)[^।!?\\n]{0,12}(?:दिखा|बता|प्रकट))',
    score: 0.8,
  },
  'unrestricted-other-languages': {
    ...folded,
    pattern:
      '(?:tu so als (?:hattest|gabe|warst)|fais comme si|finge(?:re)? (?:che|que|di)|finja que|fingi di|doe alsof|udawaj ze|pretend que)(?: [a-z]{1,12}){0,5} (?:regeln|einschrankungen|grenzen|limites?|restri[cç][a-z]{2,6}|restricciones|regles|reglas|regras|regole|restrizioni|limiti|regels|beperkingen|ograniczen|zasad)',
    score: 0.8,
  },
  'unrestricted-chinese': {
    ...plain,
    pattern:
      '(?:没有|沒有|不受|无|無|摆脱|突破|解除)(?:任何)?[^。！？\\n]{0,6}(?:道德|伦理|限制|约束|审查|規則|规则)[^。！？\\n]{0,8}(?:AI|人工智能|助手|模型|机器人|回答)',
    score: 0.8,
  },
} as const satisfies Record<string, Rule>

export const languageRules = { ...overrides, ...extractions } as const satisfies Record<string, Rule>
